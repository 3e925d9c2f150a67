"""Stage: feedback. What providers, links and shoppers say about a message, and which orders it brought.

model.py        the words of feedback and what each does (EFFECTS)
parsing.py      queue bodies → Feedback: our own messages and SNS envelopes
providers.py    what SES, SNS push and End User Messaging say → Feedback
service.py      RecordFeedback: suppression, consent, ledger marks, late credit
attribution.py  which message an order is credited to, which recommendation was clicked
touches.py      the small records attribution keeps, and what an event says about them
ports.py        Touches
links.py        serve_links: signed open, click and unsubscribe links (link_pages.py: their pages)
config.py       windows, stop words, machine user agents (defaults.yaml)
"""
