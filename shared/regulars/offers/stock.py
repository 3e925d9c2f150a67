"""Which shard of a pool a claim takes from, so that none is written to more often than it can bear.

    nothing met yet      the shard of the shopper's hash; no read
    one was full         a look at all shards (BatchGetItem, eventually consistent, as old as `view_seconds`), then shards by
                         chance in proportion to their room: they run empty together, and none draws all who are left over
    none has room        sold out: for `sold_out_seconds` this worker refuses without a read or a write

A worker writes to a full shard once per look, so the last pieces draw at most one vain write a worker, not one a shopper.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from regulars.errors import GiveUp
from regulars.ids import short_hash
from regulars.offers.config import Offer, Sharding
from regulars.offers.model import Take
from regulars.offers.ports import Offers


@dataclass(slots=True)
class _View:
    """One worker's picture of a pool: room by shard, when it was looked at, until when it counts as sold out."""

    rooms: list[int]
    at: datetime
    closed_until: datetime | None = None


class Stock:
    """Chooses shards; one a worker, as its pictures are the worker's."""

    def __init__(self, store: Offers, config: Sharding) -> None:
        self._store = store
        self._config = config
        self._shards: dict[str, int] = {}
        self._views: dict[str, _View] = {}

    def choose(self, name: str, offer: Offer, edition: str, shopper: str, now: datetime, attempt: int = 0) -> Take | None:
        """One piece of one shard, None when there is no limit. Raises GiveUp(sold_out). From the second `attempt` on, whoever
        does not say which shard was `full` calls `look` first."""
        pieces = offer.pieces
        if pieces is None:
            return None
        if pieces == 0:
            raise _sold_out(name)
        pool = pool_of(name, offer, edition)
        shards = self.shards(pool, offer, pieces)
        view = self._view(name, pool, pieces, shards, now, attempt)
        chance = int.from_bytes(short_hash(shopper, pool, str(attempt) if view else ""))
        shard = _drawn(view.rooms, chance) if view else chance % shards
        if view:
            view.rooms[shard] -= 1
        return Take(pool=pool, shard=shard, amount=1, limit=limit_of(pieces, shards, shard))

    def look(self, name: str, offer: Offer, edition: str) -> None:
        """Forget the picture: the next choice looks."""
        view = self._views.get(pool_of(name, offer, edition))
        if view and not view.closed_until:
            del self._views[pool_of(name, offer, edition)]

    def full(self, take: Take, now: datetime) -> None:
        """The store refused this piece: its shard counts as full until the next look."""
        view = self._views.get(take.pool)
        if view is None:
            # Looked at never: the next choice looks.
            self._views[take.pool] = _View([], now - timedelta(seconds=self._config.view_seconds))
        elif view.rooms:
            view.rooms[take.shard] = 0

    def shards(self, pool: str, offer: Offer, pieces: int) -> int:
        """Into how many the pool is split, for good."""
        if pool not in self._shards:
            standing = self._store.shards(pool)
            self._shards[pool] = standing or self._store.split(pool, shards_wanted(offer, pieces, self._config))
        return self._shards[pool]

    def _view(self, name: str, pool: str, pieces: int, shards: int, now: datetime, attempt: int) -> _View | None:
        """The picture to choose by, None for none needed; raises GiveUp when nothing is left in it."""
        view = self._views.get(pool)
        if view is None and attempt == 0:
            return None
        if view and view.closed_until and now < view.closed_until:
            raise _sold_out(name)
        if view is None or view.closed_until or not now - view.at < timedelta(seconds=self._config.view_seconds):
            taken = self._store.taken(pool, shards)
            view = _View([max(0, limit_of(pieces, shards, n) - taken[n]) for n in range(shards)], now)
            self._views[pool] = view
            if all(view.rooms):
                # Pieces came back, or the limit was raised: no need for pictures.
                del self._views[pool]
        if not any(view.rooms):
            view.closed_until = now + timedelta(seconds=self._config.sold_out_seconds)
            raise _sold_out(name)
        return view


def pool_of(name: str, offer: Offer, edition: str) -> str:
    """The pool of an offer: one for each calendar edition, else one for all."""
    return f"stock/{name}/{edition}" if offer.edition in ("year", "month") else f"stock/{name}"


def shards_wanted(offer: Offer, pieces: int, config: Sharding) -> int:
    """Enough for the peak, and none without a piece."""
    return max(1, min(pieces, -(-offer.claims_per_second // config.writes_per_second)))


def limit_of(pieces: int, shards: int, shard: int) -> int:
    """How many of `pieces` lie in a shard; they add up."""
    return pieces // shards + (1 if shard < pieces % shards else 0)


def _drawn(rooms: list[int], chance: int) -> int:
    """A shard by its share of the room."""
    left = chance % sum(rooms)
    for shard, room in enumerate(rooms):
        left -= room
        if left < 0:
            return shard
    raise AssertionError("unreachable: the shares add up")


def _sold_out(name: str) -> GiveUp:
    return GiveUp(f"offer {name!r} is sold out", code="sold_out")
