"""Search help: what the shop has for these words, in the order that suits this shopper, and what the words might become.

- config          SearchSettings
- words           text → words: Chinese, Japanese and Korean as bigrams, the others folded and without plural
- index           Index: words → items with their weight, and a few columns of every item
- indexing        items → Index (BM25F)
- packing         Index ⇄ bytes
- completions     what a beginning may become
- searched        what shoppers searched, counted by shoppers
- publishing      hourly: the index, with heat and completions, into the data bucket
- reading         the index in a running function; what was listed since is added in memory
- understanding   the words of a question → what must be found: synonyms, beginnings, misspellings
- finding         what is done when nothing has all words
- matching        what has all the words; which words to let go
- ranking         relevance, heat, rating, price, taste, what she saw → order
- merchandising   pin, ban, boost, bury in the scene `search`
- model           Question, Found
- wording         why an item is shown
- answering       one question: order, rules, reasons → the page
- service         Search, the use case
- suggesting      Suggest, the use case
- http            GET /v1/search, GET /v1/suggestions

Nothing here is imported before the first search: the other scenes start as fast as without it (`http` alone is).
"""
