"""Stage recommendations: what should this shopper see now?

- model        Ask, Candidate, Reason, Placed, Answer; SCENES
- ports        Sources (two round trips), RuleStore
- config       RecommendationSettings (defaults.yaml)
- situation    everything one call knows; who may be shown
- history      what a shopper did lately, weighted
- blending     weighted neighbours and popularity → scores with their causes
- scenes       home, product, cart, return, repurchase, trending: seeds and ranking of each
- fillers      the cheapest useful items that close the gap to the spend threshold
- repurchase   who is due to buy what again
- rules        pin, ban, boost, bury: parsed with paths, applied to a ranking
- rulebook     the operator's document: read, checked, stored
- placing      rules, diversity and order → positions
- reasons      why, in English and Chinese
- service      Recommend, the use case
- picking      items with reasons for messages
- http         GET /v1/recommendations/{scene}, GET and PUT /v1/rules
"""
