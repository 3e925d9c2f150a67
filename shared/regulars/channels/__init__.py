"""Stage: channels. Hands decided messages to providers, at most once; the shopper's own inbox and preferences.

sending.py      send_message: gate, claim, render, fence, provider, receipt
rendering.py    a decision → what its channel shows
wording.py      texts by language, kind and tone, and the values that fill them
content.py      what a decision says: the contract of `Message.content`
links.py        the signed links of a message
sms.py          how long an SMS is
money.py        prices as shoppers read them
inbox.py        in-app messages, listed and read
preferences.py  consent by channel and topic, language, time zone
http.py         the shopper's own routes
model.py        Contact and Slot
ports.py        providers and their four answers, the inbox
config.py       who writes, limits, the shop's own words (defaults.yaml)
templates/      e-mail layout (MJML), words by language (Liquid in YAML), and both compiled
"""
