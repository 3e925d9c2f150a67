"""Stage capture: what shoppers do comes in, is judged, applied once and kept.

Collecting, in front of the queue:

- http         Segment's HTTP tracking protocol
- collecting   every entry judged alone; receipts; replay of the quarantine
- form         an entry's size, depth, text and numbers
- validation   one call → Event, or the code and place of its first fault
- names        the event names, their aliases and the shop's own
- properties   products, orders, money of commerce events; currencies: ISO 4217
- traits       addresses, birthday and consent of an identify
- times        clock-skew correction
- units        one queue message per shopper and call

Applying, behind the queue:

- applying     CaptureEvents: one shopper's events, once
- refusing     what cannot be applied is quarantined
- telling      what an event tells the other stages
- log, lookup, archive, packing

Both: model (Event), ports (Quarantine), config (defaults.yaml).
"""
