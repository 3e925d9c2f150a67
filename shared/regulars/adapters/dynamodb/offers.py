"""Coupons and pools in DynamoDB.

pk shopper                  sk coupon#<offer>#<edition>
    code, offer, edition, moment_id, state, order_id (text)   issued_at, lapses_at, redeemed_at (epoch ms)
    takes       [[pool, shard, amount, limit], …]
    expires_at  epoch s, TTL

pk pool#<name>#<shard>      sk -
    taken       units taken of this shard; the limit comes with each take, so that raising it needs no write
"""

from __future__ import annotations

from datetime import timedelta

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, item_to_wire
from regulars.adapters.dynamodb.transactions import Change, Request
from regulars.clock import to_ms
from regulars.offers.model import Coupon, Reservation, Take

_KEEP = timedelta(days=400)


def take_reservation(table: str, reservation: Reservation) -> list[tuple[tuple[str, Request], str]]:
    """The reservation's entries of a claim, each with the code of the conflict that its failing condition means."""
    entries: list[tuple[tuple[str, Request], str]] = []
    if reservation.coupon:
        put = {
            "TableName": table,
            "Item": item_to_wire(item_of(reservation.coupon)),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        entries.append((("Put", put), "coupon_held"))
    return [*entries, *((("Update", taking(table, take)), "pool_empty") for take in reservation.takes)]


def return_reservation(table: str, reservation: Reservation) -> list[tuple[str, Request]]:
    """The reservation's entries of a finish that says nothing was sent."""
    entries: list[tuple[str, Request]] = []
    if coupon := reservation.coupon:
        key = keys.coupon(coupon.shopper, coupon.offer, coupon.edition)
        gone = {"TableName": table, "Key": item_to_wire(key), "ConditionExpression": "attribute_exists(pk)"}
        entries.append(("Delete", gone))
    return [*entries, *(("Update", giving_back(table, take)) for take in reservation.takes)]


def taking(table: str, take: Take) -> Request:
    """`amount` more of the shard, if that stays within its limit."""
    change = Change(table, keys.pool(take.pool, take.shard)).add("taken", take.amount)
    taken, room = change.name("taken"), change.value(take.limit - take.amount)
    absent = f"attribute_not_exists({taken}) OR " if take.amount <= take.limit else ""
    return change.when(f"{absent}{taken} <= {room}").request()


def giving_back(table: str, take: Take) -> Request:
    """`amount` less of the shard."""
    return Change(table, keys.pool(take.pool, take.shard)).add("taken", -take.amount).request()


def item_of(coupon: Coupon) -> Item:
    """The item to put."""
    item: Item = {
        **keys.coupon(coupon.shopper, coupon.offer, coupon.edition),
        "code": coupon.code,
        "offer": coupon.offer,
        "edition": coupon.edition,
        "state": coupon.state.value,
        "issued_at": to_ms(coupon.issued_at),
        "lapses_at": to_ms(coupon.expires_at),
        "takes": [[take.pool, take.shard, take.amount, take.limit] for take in coupon.takes],
        "expires_at": int((coupon.expires_at + _KEEP).timestamp()),
    }
    return item | ({"moment_id": coupon.moment_id} if coupon.moment_id else {})
