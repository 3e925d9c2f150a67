"""Stage: decisions. The one arbiter between moments and messages.

arbiter.py      the rules in their order: facts → one Decision, pure; settling.py the last of them
service.py      reads the facts, records every decision (silence too), emits send orders
gate.py         the same stops once more, just before a message is claimed
verdicts.py     what a decision is made of, and what it is
priorities.py   which of several live moments wins, what the others do
caps.py         rolling windows by value tier, channel, kind, topic and campaign; what makers of telephones allow
holdout.py      the global control group and those of campaigns
experiments.py  how lots are drawn
budgets.py      pools of money, and what a message takes of them
offering.py     the terms of the offer that a message would bring
zones.py        which time zone a shopper lives in; wall time ↔ instants
quiet.py        quiet hours and legal hours
timing.py       the hour a shopper is used to read at
channel.py      by affinity, consent, reachability and cost; with fallback
content.py      what the message will say, as data
reasons.py      every reason code with its sentence
explain.py      the story of one shopper; explain_text.py for reading
model.py        the ledger entry and its states
ports.py        ledger, contacts, suppressions, pools
config.py       the numbers, limits.py those of vendors, control groups and budgets; defaults.yaml beside them
"""
