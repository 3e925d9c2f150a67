"""Offers: coupons that are never oversold, and money that is never overspent.

    config · rules       what an offer is, and what it saves on an order
    codes                personal, unguessable, and the address of the coupon at once
    stock                pools in shards: which one a claim takes from
    issuing · reserving  a coupon for a message, taken in the claim's transaction and given back when nothing was sent
    claiming             coupons that shoppers take themselves; the wallet
    redeeming · standing the shop's server redeems and takes back; how an offer stands
    expiring             what nobody used goes back, exactly once

A limited thing (stock of a coupon, a budget) is a *pool*: units split over shards, so that no item takes more than 400
transactional writes a second.
"""
