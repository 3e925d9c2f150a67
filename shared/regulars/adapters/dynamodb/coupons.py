"""Coupons and pools in DynamoDB: their items, and what of them goes into transactions.

pk shopper                    sk coupon#<offer>#<edition>
    code, offer, edition, moment_id, state, order_id, returned_order (text)   discount_cents
    issued_at, lapses_at, redeemed_at (epoch ms)
    takes       [[pool, shard, amount, limit], …]
    expires_at  epoch s, TTL; none for an offer that is hers once in a lifetime (edition ""): then the coupon is what says so

pk ending#<hour>#<lane>       sk code
    shopper, offer, edition, expires_at (TTL): whose coupon it is

pk pool#<name>#<shard>        sk -
    taken       units taken of this shard; the limit comes with each take, so that raising it needs no write

A coupon and its row are put and deleted together. What a coupon took goes back only in a transaction that takes the coupon out
of its state: given back twice is what cannot happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, item_to_wire
from regulars.adapters.dynamodb.transactions import Change, Request
from regulars.clock import from_ms, to_ms
from regulars.offers.codes import place_of
from regulars.offers.model import Coupon, CouponState, Reservation, Take

_KEEP = timedelta(days=400)
Entry = tuple[str, Request]


def take_reservation(table: str, reservation: Reservation) -> list[tuple[Entry, str]]:
    """The reservation's entries of a claim, each with the code of the conflict that its failing condition means."""
    entries: list[tuple[Entry, str]] = []
    if coupon := reservation.coupon:
        # A code that is another coupon's (once in 2⁵⁰ pairs of an hour) is no room either: the next try makes another.
        for item, against in ((item_of(coupon), "coupon_held"), (row_of(coupon), "pool_empty")):
            put = {"TableName": table, "Item": item_to_wire(item), "ConditionExpression": "attribute_not_exists(pk)"}
            entries.append((("Put", put), against))
    return [*entries, *((("Update", taking(table, take)), "pool_empty") for take in reservation.takes)]


def return_reservation(table: str, reservation: Reservation) -> list[Entry]:
    """The reservation's entries of a finish that says nothing was sent; the coupon's deletion comes first."""
    entries: list[Entry] = []
    if coupon := reservation.coupon:
        entries += [("Delete", _deleting(table, coupon)), ("Delete", _deleting_row(table, coupon))]
    return [*entries, *give_back(table, reservation.takes)]


def without_coupon(reservation: Reservation) -> Reservation:
    """What is left to give back when the coupon's deletion failed: it is not ISSUED any more or erased, and whatever took it
    out of that state has given back its piece."""
    return replace(reservation, coupon=None)


def forgetting(table: str, coupon: Coupon) -> list[Entry]:
    """A coupon in this very state is erased; what it took goes back if it is not used."""
    returns = coupon.takes if coupon.state is CouponState.ISSUED else ()
    deleting = [("Delete", _deleting(table, coupon)), ("Delete", _deleting_row(table, coupon))]
    return [*deleting, *give_back(table, returns)]


def taking(table: str, take: Take) -> Request:
    """`amount` more of the shard, if that stays within its limit."""
    change = Change(table, keys.pool(take.pool, take.shard)).add("taken", take.amount)
    taken, room = change.name("taken"), change.value(take.limit - take.amount)
    absent = f"attribute_not_exists({taken}) OR " if take.amount <= take.limit else ""
    return change.when(f"{absent}{taken} <= {room}").request()


def give_back(table: str, takes: Iterable[Take]) -> list[Entry]:
    """All of it less; one entry a shard, as a transaction may name an item once."""
    sums: dict[tuple[str, int], int] = {}
    for take in takes:
        sums[(take.pool, take.shard)] = sums.get((take.pool, take.shard), 0) + take.amount
    return [
        ("Update", Change(table, keys.pool(pool, shard)).add("taken", -amount).request())
        for (pool, shard), amount in sums.items()
    ]


def in_state(change: Change, coupon: Coupon) -> Change:
    """Only while the coupon stands as it was read: the same code, state and order."""
    conditions = [
        f"{change.name('code')} = {change.value(coupon.code)}",
        f"{change.name('state')} = {change.value(coupon.state.value)}",
    ]
    if coupon.order_id:
        conditions.append(f"{change.name('order_id')} = {change.value(coupon.order_id)}")
    return change.when(" AND ".join(conditions))


def item_of(coupon: Coupon) -> Item:
    """The item to put."""
    item: Item = {
        **keys.coupon(*coupon.key),
        "code": coupon.code,
        "offer": coupon.offer,
        "edition": coupon.edition,
        "state": coupon.state.value,
        "issued_at": to_ms(coupon.issued_at),
        "lapses_at": to_ms(coupon.expires_at),
        "takes": [[take.pool, take.shard, take.amount, take.limit] for take in coupon.takes],
    }
    item |= {"expires_at": int((coupon.expires_at + _KEEP).timestamp())} if coupon.edition else {}
    return item | ({"moment_id": coupon.moment_id} if coupon.moment_id else {})


def coupon_of(item: Mapping[str, object] | Item) -> Coupon:
    """The coupon in an item."""
    found: Item = dict(item)
    redeemed = found.get("redeemed_at")
    return Coupon(
        shopper=found["pk"],
        offer=found["offer"],
        edition=found["edition"],
        code=found["code"],
        issued_at=from_ms(found["issued_at"]),
        expires_at=from_ms(found["lapses_at"]),
        moment_id=found.get("moment_id", ""),
        state=CouponState(found["state"]),
        order_id=found.get("order_id", ""),
        redeemed_at=None if redeemed is None else from_ms(redeemed),
        discount_cents=found.get("discount_cents", 0),
        returned_order=found.get("returned_order", ""),
        takes=tuple(Take(pool=pool, shard=shard, amount=amount, limit=limit) for pool, shard, amount, limit in found["takes"]),
    )


def row_of(coupon: Coupon) -> Item:
    """The row of its code."""
    where = {"shopper": coupon.shopper, "offer": coupon.offer, "edition": coupon.edition}
    return {**_row_key(coupon), **where, "expires_at": int((coupon.expires_at + _KEEP).timestamp())}


def coupon_keys(rows: Sequence[Item]) -> list[dict[str, str]]:
    """The keys of the coupons that rows of codes name."""
    return [keys.coupon(row["shopper"], row["offer"], row["edition"]) for row in rows]


def _row_key(coupon: Coupon) -> keys.Key:
    return keys.coupon_code(*place_of(coupon.code), coupon.code)


def _deleting(table: str, coupon: Coupon) -> Request:
    names = {"#code": "code", "#state": "state"}
    return {
        "TableName": table,
        "Key": item_to_wire(keys.coupon(*coupon.key)),
        "ConditionExpression": "#code = :code AND #state = :state",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": item_to_wire({":code": coupon.code, ":state": coupon.state.value}),
    }


def _deleting_row(table: str, coupon: Coupon) -> Request:
    return {"TableName": table, "Key": item_to_wire(_row_key(coupon))}
