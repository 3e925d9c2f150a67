"""Offers: coupons that are never oversold, and money that is never overspent.

A limited thing (stock of a coupon, a budget) is a *pool*: units split over shards, so that no item takes more than 400
transactional writes a second. What a message takes along is a `Reservation`; it is taken in the claim's transaction and
comes back in the transaction that says nothing was sent.
"""
