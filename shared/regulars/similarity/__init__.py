"""Stage similarity: scheduled builds of what goes with what, and of what sells.

- model         Neighbours of an item, Popularity of a scope, Pointer to the live version; RELATIONS
- ports         ModelStore, Archive
- config        SimilaritySettings, PopularitySettings (defaults.yaml)
- packing       lists of (id, score) in a few bytes; no numpy, since the API function unpacks them
- interactions  the event archive as plain arrays
- relations     arrays → weighted sparse rows, one rule per relation
- rows          sparse rows, and lists of neighbours
- kernel        weighted rows → top K neighbours of every item: `compiled` (kernel.c), or `uncompiled` where that is missing
- content       attributes of items → look-alikes, so that new items are found
- contexts      kinds of device and parts of the day; no numpy
- trials        while events pass: popularity by context, and how new items fare
- popularity    decayed and 7-day popularity by scope; new arrivals
- service       BuildSimilarity and BuildPopularity, the use cases behind the schedules

numpy is imported by interactions, relations, kernel, popularity and service only: readers of a model start without it.
"""
