"""A campaign, or the coming days as they stand, rehearsed on a copy of the shop: nothing is written and nothing is sent.

plan      what to rehearse: the campaign, its audience, the span of time
copying   shoppers with their contacts, suppressions, messages and timers, read into memory adapters
running   the arbiter, the due index and the sender on a virtual clock; providers that only keep what they are given
telling   who gets what, when, on which channel, and who does not and why
"""
