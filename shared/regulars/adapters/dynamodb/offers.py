"""The store of offers in DynamoDB: what happens to a coupon after a message or a shopper took it, and its counts.

pk pool#<name>                sk head     shards
pk swept                      sk <sweep>#<lane>   hour: the last one finished
pk tally#<offer>              sk <lane>   redeemed, discount_cents, returned, expired, refusals by code
pk uses#<check>#<hash>        sk -        version, orders {order id: epoch ms}, expires_at (epoch s, TTL)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, batch_get, dynamodb, item_from_wire, item_to_wire, query, translated
from regulars.adapters.dynamodb.coupons import (
    Entry,
    coupon_keys,
    coupon_of,
    forgetting,
    give_back,
    in_state,
    take_reservation,
)
from regulars.adapters.dynamodb.transactions import Cancelled, Change, applies, apply, get, transact
from regulars.clock import to_ms
from regulars.errors import Conflict, TryLater
from regulars.ids import stable_id
from regulars.offers.codes import place_of
from regulars.offers.config import USES_DAYS
from regulars.offers.model import Coupon, CouponState, Reservation, Uses

_TALLY_LANES = 8
_FORGET_TRIES = 5
_MOST_ENTRIES = 100
"""Entries that one TransactWriteItems takes."""


class DynamoOffers:
    """Implements `regulars.offers.ports.Offers`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def coupon(self, shopper: str, offer: str, edition: str) -> Coupon | None:
        item = get(self._table, keys.coupon(shopper, offer, edition))
        return coupon_of(item) if item else None

    def held(self, shoppers: Sequence[str], offer: str, edition: str) -> Sequence[Coupon]:
        asked = [keys.coupon(shopper, offer, edition) for shopper in shoppers]
        return [coupon_of(item) for item in batch_get({self._table: asked}, consistent=True)[self._table]]

    def coupons(self, shopper: str) -> Sequence[Coupon]:
        items = query(
            self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": shopper, ":prefix": keys.COUPON},
            ConsistentRead=True,
        )
        return sorted(map(coupon_of, items), key=lambda coupon: (coupon.issued_at, coupon.code), reverse=True)

    def find(self, code: str) -> Coupon | None:
        row = get(self._table, keys.coupon_code(*place_of(code), code))
        return self.coupon(row["shopper"], row["offer"], row["edition"]) if row else None

    def issue(self, reservation: Reservation) -> None:
        entries = take_reservation(self._table, reservation)
        coupon = reservation.coupon
        of = (*coupon.key, coupon.code, str(to_ms(coupon.issued_at))) if coupon else ()
        places = [f"{take.pool}#{take.shard}" for take in reservation.takes]
        try:
            transact([entry for entry, _ in entries], token=stable_id("issue", *of, *places))
        except Cancelled as cancelled:
            raise Conflict("the coupon cannot be issued", code=entries[min(cancelled.failed)][1]) from cancelled

    def redeem(self, coupon: Coupon, *, order_id: str, discount_cents: int, now: datetime, uses: Sequence[Uses]) -> None:
        change = Change(self._table, keys.coupon(*coupon.key)).set("state", to=CouponState.REDEEMED.value)
        change.set("order_id", to=order_id).set("redeemed_at", to=to_ms(now)).set("discount_cents", to=discount_cents)
        tally = self._tally(coupon, redeemed=1, discount_cents=discount_cents)
        entries: list[Entry] = [("Update", in_state(change, coupon).request()), tally]
        entries += [("Put", self._using(entry, now)) for entry in uses]
        versions = [f"{entry.hash}{entry.version}" for entry in uses]
        of = (coupon.code, order_id, str(to_ms(now)), str(discount_cents))
        self._change_coupon(entries, stable_id("redeem", *of, *versions))

    def undo(self, coupon: Coupon, *, to: CouponState, now: datetime) -> None:
        change = Change(self._table, keys.coupon(*coupon.key)).set("state", to=to.value)
        change.set("returned_order", to=coupon.order_id).remove("order_id", "redeemed_at", "discount_cents")
        over = to is CouponState.EXPIRED
        counts = {"redeemed": -1, "discount_cents": -coupon.discount_cents, "returned": 1, **({"expired": 1} if over else {})}
        entries = [("Update", in_state(change, coupon).request()), self._tally(coupon, **counts)]
        entries += give_back(self._table, coupon.takes) if over else []
        self._change_coupon(entries, stable_id("undo", coupon.code, coupon.order_id, to.value, str(to_ms(now))))

    def expire(self, coupons: Sequence[Coupon], now: datetime) -> int:
        left = [coupon for coupon in coupons if coupon.state is CouponState.ISSUED]
        while left:
            entries: list[Entry] = []
            for coupon in left:
                change = Change(self._table, keys.coupon(*coupon.key)).set("state", to=CouponState.EXPIRED.value)
                entries.append(("Update", in_state(change, coupon).request()))
            entries += give_back(self._table, [take for coupon in left for take in coupon.takes])
            for offer, count in Counter(coupon.offer for coupon in left).items():
                lane = next(place_of(coupon.code)[1] for coupon in left if coupon.offer == offer)
                entries.append(("Update", self._counting(offer, lane, {"expired": count}).request()))
            if len(entries) > _MOST_ENTRIES:
                # Their pieces lie in too many places: a coupon takes of its stock and of every budget that pays.
                half = len(left) // 2
                return self.expire(left[:half], now) + self.expire(left[half:], now)
            try:
                transact(entries, token=stable_id("expire", str(to_ms(now)), *(coupon.code for coupon in left)))
                return len(left)
            except Cancelled as cancelled:
                # Used, given back or erased since it was read; the others are still to go.
                left = [coupon for n, coupon in enumerate(left) if n not in cancelled.failed]
        return 0

    def ending(self, hour: int, lane: int, limit: int, cursor: str = "") -> tuple[Sequence[Coupon], str]:
        partition = keys.coupon_code(hour, lane, "")["pk"]
        with translated():
            page = dynamodb().query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk > :sk" if cursor else "pk = :pk",
                ExpressionAttributeValues=item_to_wire({":pk": partition, **({":sk": cursor} if cursor else {})}),
                ConsistentRead=True,
                Limit=limit,
            )
        rows = [item_from_wire(item) for item in page["Items"]]
        found = batch_get({self._table: coupon_keys(rows)}, consistent=True)[self._table] if rows else []
        wanted = {row["sk"] for row in rows}
        coupons = sorted((coupon_of(item) for item in found), key=lambda coupon: coupon.code)
        more = rows[-1]["sk"] if page.get("LastEvaluatedKey") else ""
        return [coupon for coupon in coupons if coupon.code in wanted], more

    def mark(self, name: str, lane: int) -> int | None:
        item = get(self._table, keys.swept(name, lane))
        return int(item["hour"]) if item else None

    def advance(self, name: str, lane: int, hour: int) -> None:
        change = Change(self._table, keys.swept(name, lane)).set("hour", to=hour)
        place = change.name("hour")
        applies(change.when(f"attribute_not_exists({place}) OR {place} < {change.value(hour)}"))

    def shards(self, pool: str) -> int | None:
        head = get(self._table, keys.pool_head(pool))
        return int(head["shards"]) if head else None

    def split(self, pool: str, wanted: int) -> int:
        change = Change(self._table, keys.pool_head(pool)).set("shards", to=wanted)
        applies(change.when(f"attribute_not_exists({change.name('shards')})"))
        return self.shards(pool) or wanted

    def taken(self, pool: str, shards: int) -> Sequence[int]:
        asked = [keys.pool(pool, shard) for shard in range(shards)]
        known = {item["pk"]: int(item["taken"]) for item in batch_get({self._table: asked})[self._table]}
        return [known.get(key["pk"], 0) for key in asked]

    def uses(self, asked: Sequence[tuple[str, str]]) -> Sequence[Uses]:
        places = [keys.uses(check, digest) for check, digest in asked]
        known = {item["pk"]: item for item in batch_get({self._table: places}, consistent=True)[self._table]}
        return [_uses(check, digest, known.get(place["pk"], {})) for (check, digest), place in zip(asked, places, strict=True)]

    def count(self, offer: str, lane: int, word: str) -> None:
        apply(self._counting(offer, lane, {f"refused_{word}": 1}))

    def counts(self, offer: str) -> Mapping[str, int]:
        sums: Counter[str] = Counter()
        for item in query(
            self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": keys.tally(offer, 0)["pk"]},
        ):
            sums.update({name.removeprefix("refused_"): count for name, count in item.items() if name not in ("pk", "sk")})
        return sums

    def forget(self, shopper: str) -> int:
        forgotten = 0
        for coupon in self.coupons(shopper):
            standing: Coupon | None = coupon
            for _ in range(_FORGET_TRIES):
                if standing is None:
                    break
                state = standing.state.value  # another state is another request, which needs a token of its own
                token = stable_id("forget", standing.code, state, standing.order_id, str(to_ms(standing.issued_at)))
                try:
                    transact(forgetting(self._table, standing), token=token)
                    forgotten += 1
                    break
                except Cancelled:
                    standing = self.coupon(*standing.key)
            else:
                raise TryLater("a coupon keeps changing while it is erased", code="coupon_changed")
        return forgotten

    def _change_coupon(self, entries: Sequence[Entry], token: str) -> None:
        try:
            transact(entries, token=token)
        except Cancelled as cancelled:
            code = "coupon_changed" if 0 in cancelled.failed else "uses_changed"
            raise Conflict("somebody else was first", code=code) from cancelled

    def _tally(self, coupon: Coupon, **counts: int) -> Entry:
        return "Update", self._counting(coupon.offer, place_of(coupon.code)[1], counts).request()

    def _counting(self, offer: str, lane: int, counts: Mapping[str, int]) -> Change:
        change = Change(self._table, keys.tally(offer, lane % _TALLY_LANES))
        for name, count in counts.items():
            change.add(name, count)
        return change

    def _using(self, uses: Uses, now: datetime) -> dict[str, Any]:
        written = replace(uses, version=uses.version + 1)
        item: Item = {
            **keys.uses(uses.check, uses.hash),
            "version": written.version,
            "orders": dict(written.orders),
            "expires_at": int((now + timedelta(days=USES_DAYS)).timestamp()),
        }
        request: dict[str, Any] = {"TableName": self._table, "Item": item_to_wire(item)}
        if not uses.version:
            return {**request, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **request,
            "ConditionExpression": "#version = :version",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": item_to_wire({":version": uses.version}),
        }


def _uses(check: str, digest: str, item: Mapping[str, Any]) -> Uses:
    return Uses(check=check, hash=digest, version=item.get("version", 0), orders=item.get("orders", {}))
