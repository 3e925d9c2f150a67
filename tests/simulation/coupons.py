"""A flash sale: shoppers by the hundred thousand claim the coupons of one offer, through workers that take turns at every call
of the store, fail and die; then they redeem, undo, and the rest ends.

A worker is a greenlet around the product's own `Claiming`, with its own picture of the shards. A claim arrives every 1/rate
seconds of the virtual clock. What is counted for an item is every transaction that names it, refused ones too: DynamoDB charges
those all the same.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import greenlet
from tests.support.offers import FLASH, NOON, SECRET, Outbox, basket, settings

from regulars.adapters.memory.offers import MemoryOffers
from regulars.errors import Conflict, TryLater
from regulars.offers.claiming import Claiming
from regulars.offers.codes import Codes
from regulars.offers.config import OfferSettings
from regulars.offers.expiring import ExpireCoupons
from regulars.offers.issuing import Issuing
from regulars.offers.model import Coupon, CouponState, Reservation
from regulars.offers.redeeming import Redeeming
from regulars.offers.stock import Stock, pool_of

_RECENT = 200
MakeStock = Callable[[Any, OfferSettings], Stock]


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`retries`: the share of claims that repeat one of the last few hundred. `faults`: the share of calls of the store that
    fail before or after their effect, or kill the worker before or after it."""

    claims: int
    stock: int
    rate: int = 10_000
    workers: int = 64
    retries: float = 0.2
    faults: float = 0.005
    comes_again: int = 5
    seed: int = 1


@dataclass
class Told:
    """What shoppers were told, and what the items bore."""

    codes: dict[str, set[str]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    writes: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    vain: int = 0
    crashes: int = 0

    @property
    def busiest(self) -> int:
        """Transactional writes of the busiest item in its busiest second."""
        return max(self.writes.values(), default=0)


class Sale:
    """The world. `make_stock` is the one place to break it from."""

    def __init__(
        self, plan: Plan, make_stock: Callable[[Any, OfferSettings], Stock] = lambda s, c: Stock(s, c.sharding)
    ) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.now: datetime = NOON
        self.memory = MemoryOffers()
        self.told = Told()
        terms = {"kind": "percent", "percent": 50, "days": 3, "claimable": True, "stock": plan.stock}
        self.config = settings({FLASH: {**terms, "claims_per_second": plan.rate}})
        self._make_stock = make_stock
        self._waiting: list[str] = []
        self._arrived = 0
        self._tries: Counter[str] = Counter()
        self._pool = pool_of(FLASH, self.config.offers[FLASH], "")

    def clock(self) -> datetime:
        return self.now

    def run(self) -> Told:
        """Every claim, 64 at a time."""
        workers = [self._worker() for _ in range(self.plan.workers)]
        while workers:
            at = self.random.randrange(len(workers))
            ended = workers[at].switch()
            if ended == "crashed":
                self.told.crashes += 1
                workers[at] = self._worker()
            elif ended == "idle":
                workers.pop(at)
        return self.told

    def _worker(self) -> Any:
        """A process: its store, its pictures, claim after claim."""
        store = Interleaved(self)
        codes = Codes(SECRET)
        issuing = Issuing(self.config, codes, self._make_stock(store, self.config), UTC)
        claiming = Claiming(self.config, issuing, store, self.clock, lambda shopper: "mid", lambda shopper, now: False, alone)

        def work(*_: Any) -> str:
            while shopper := self._next():
                try:
                    self._claim(claiming, shopper)
                except Crash:
                    self._again(shopper)  # the client saw the connection break
                    return "crashed"
            return "idle"

        return greenlet(work)

    def _next(self) -> str:
        """Who claims next: somebody new, or one of the last again."""
        if self._arrived < self.plan.claims:
            self._arrived += 1
            self.now += timedelta(seconds=1 / self.plan.rate)
            if self.random.random() < self.plan.retries and self._arrived > 1:
                return f"user:{self.random.randrange(max(0, self._arrived - _RECENT), self._arrived)}"
            return f"user:{self._arrived}"
        return self._waiting.pop() if self._waiting else ""

    def _claim(self, claiming: Claiming, shopper: str) -> None:
        try:
            coupon = claiming.claim(shopper, FLASH)
            self.told.codes.setdefault(shopper, set()).add(coupon.code)
        except TryLater:
            self.told.refusals["busy"] += 1
            self._again(shopper)
        except Conflict as conflict:
            self.told.refusals[conflict.code] += 1

    def _again(self, shopper: str) -> None:
        self._tries[shopper] += 1
        if self._tries[shopper] <= self.plan.comes_again:
            self._waiting.append(shopper)

    def come(self, shoppers: Sequence[str]) -> None:
        """They claim next, an hour later."""
        self._waiting += shoppers
        self.now += timedelta(hours=1)

    def step(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """One call of the store: others may run first; it may fail, or be the last of its process."""
        greenlet.getcurrent().parent.switch("running")
        if self.random.random() >= self.plan.faults:
            return call(*arguments)
        kind = self.random.choice(("throttled", "lost answer", "crash before", "crash after"))
        if kind == "throttled":
            raise TryLater("throttled")
        if kind == "crash before":
            raise Crash
        answer = call(*arguments)
        if kind == "crash after":
            raise Crash
        if kind == "lost answer":
            raise TryLater("time-out")
        return answer

    def issue(self, reservation: Reservation) -> None:
        """Counted, whatever comes of it."""
        second = int((self.now - NOON).total_seconds())
        for take in reservation.takes:
            self.told.writes[(take.pool, take.shard, second)] += 1
        try:
            self.memory.issue(reservation)
        except Conflict:
            self.told.vain += 1
            raise

    @property
    def taken(self) -> int:
        return sum(self.memory.taken(self._pool, self.memory.shards(self._pool) or 0))

    @property
    def coupons(self) -> list[Coupon]:
        return list(self.memory.coupons_by_key.values())

    def afterwards(self) -> Counter[str]:
        """A third is redeemed, some of those undone before the end and after it; the rest ends under a sweep that is killed
        again and again. States at the end."""
        redeeming = Redeeming(self.config, Codes(SECRET), self.memory, self.clock, alone)
        redeemed = [coupon for coupon in self.coupons if self.random.random() < 1 / 3]
        for coupon in redeemed:
            redeeming.redeem(coupon.code, basket(f"o-{coupon.code}", shopper=coupon.shopper))
        undone = [coupon for coupon in redeemed if self.random.random() < 0.2]
        late = len(undone) // 2
        self._undo(redeeming, undone[late:])
        self.sweep_until_done()  # the mark before anything ends
        self.now += timedelta(days=3, hours=2)
        self.sweep_until_done()
        self._undo(redeeming, undone[:late])
        self.sweep_until_done()
        return Counter(coupon.state.value for coupon in self.coupons)

    def _undo(self, redeeming: Redeeming, coupons: Sequence[Coupon]) -> None:
        for coupon in coupons:
            redeeming.take_back(coupon.code, f"o-{coupon.code}")

    def sweep_until_done(self) -> int:
        """How many coupons it gave back, over all its lives."""
        before = sum(coupon.state is CouponState.EXPIRED for coupon in self.coupons)
        store, outbox = Interleaved(self), Outbox()
        while True:
            sweep = ExpireCoupons(
                config=self.config,
                store=store,
                moments=outbox,
                clock=self.clock,
                monotonic=lambda: 0.0,
            )
            if self._lives(sweep):
                break
        return sum(coupon.state is CouponState.EXPIRED for coupon in self.coupons) - before

    def _lives(self, sweep: ExpireCoupons) -> bool:
        """Whether one run came to its end."""

        def run(*_: Any) -> str:
            try:
                sweep()
            except (Crash, TryLater):
                return "crashed"
            return "done"

        glet, ended = greenlet(run), "running"
        while ended == "running":
            ended = glet.switch()
        return ended == "done"


def alone(shopper: str) -> tuple[str, ...]:
    """Nobody joined her."""
    return (shopper,)


class Interleaved:
    """The store as a worker sees it: every call is a step."""

    def __init__(self, sale: Sale) -> None:
        self._sale = sale

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = self._sale.issue if name == "issue" else getattr(self._sale.memory, name)
        return lambda *arguments: self._sale.step(call, *arguments)
