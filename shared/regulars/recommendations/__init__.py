"""Stage recommendations: what should this shopper see now?

- model        Ask, Candidate, Reason, Placed, Answer; SCENES
- ports        Sources (two round trips), RuleStore
- config       RecommendationSettings (defaults.yaml)
- situation    everything one call knows; who may be shown
- history      what a shopper did lately, weighted
- blending     weighted neighbours and popularity → scores with their causes
- scenes       home, product, cart, return, repurchase, members, trending: seeds and ranking of each
- complements  what goes with an item: another phone does not, a second cup may
- favourites   categories she likes; what is dear in one
- fillers      the cheapest useful items that close the gap to the spend threshold
- repurchase   who is due to buy what again
- segments     the names by which rules and settings speak of a shopper
- rules        pin, ban, boost, bury, limit and editorial lists: parsed with paths (rule_fields); the order of power
- ruling       the same, ready to be asked: found by item
- rulebook     the operator's document: read, checked, warned about, stored
- quotas       how many of one kind an answer may hold
- newcomers    strangers: declared interests, region, device, time of day
- exploring    a bounded share of places for new items
- placing      rules, diversity and order → positions
- reasons      why, in English and Chinese
- service      Recommend, the use case
- picking      items with reasons for messages
- http         GET /v1/recommendations/{scene}, GET and PUT /v1/rules
"""
