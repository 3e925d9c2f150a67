"""Stage: decisions. The one arbiter between moments and messages.

arbiter.py     the rules in their order: facts → one Decision, pure
service.py     reads the facts, records every decision (silence too), emits send orders
gate.py        the same stops once more, just before a message is claimed
priorities.py  which of several live moments wins, what the others do
caps.py        rolling windows by value tier, channel and kind
zones.py       which time zone a shopper lives in; wall time ↔ instants
quiet.py       quiet hours and legal hours
timing.py      the hour a shopper is used to read at
channel.py     by affinity, consent, reachability and cost; with fallback
content.py     what the message will say, as data
reasons.py     every reason code with its sentence
explain.py     the story of one shopper
model.py       the ledger entry and its states
ports.py       ledger, contacts, suppressions
config.py      the numbers; defaults.yaml beside it
"""
