"""expire_coupons: what nobody used goes back, exactly once. It reads the hours that have closed, and nothing else.

Each lane of the index has a mark: the last hour it has finished. A run takes every hour since, so a missed run loses nothing;
an hour read twice finds its coupons EXPIRED and adds nothing. A coupon is never issued into an hour that has closed
(`least_hours` is longer than `closing_minutes`), and one that was redeemed when its hour was read gives back by itself should
its order be undone later.

On the way it looks ahead: coupons still unused `remind_hours` before their end are moments of kind `coupon_expiring`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from regulars.clock import Clock, to_ms
from regulars.errors import TryLater
from regulars.messages import Moment
from regulars.offers.codes import LANES, hour_of, shown
from regulars.offers.config import OfferSettings
from regulars.offers.model import Coupon, CouponState
from regulars.offers.ports import Offers
from regulars.queues import Queue

KIND = "coupon_expiring"
_EXPIRED, _REMINDED = "expired", "reminded"
_PAGE = 200
_CONTENTION_TRIES = 3


class ExpireCoupons:
    """One run. `monotonic` measures the time it may take; what it leaves, the next takes."""

    def __init__(
        self, *, config: OfferSettings, store: Offers, moments: Queue, clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        self._config = config
        self._store = store
        self._moments = moments
        self._clock = clock
        self._monotonic = monotonic

    def __call__(self) -> Mapping[str, int]:
        """How many coupons were given back and how many shoppers' reminders went out; `behind`: lanes not finished."""
        now, ends = self._clock(), self._monotonic() + self._config.sweep.seconds_per_run
        sweep = self._config.sweep
        # A coupon that ends on the hour h is read once that hour and its closing minutes have passed.
        closed = hour_of(now - timedelta(minutes=sweep.closing_minutes))
        done = {"expired": 0, "reminded": 0, "behind": 0}
        for lane in range(LANES):
            hours = self._hours(_EXPIRED, lane, closed)
            done["behind"] += not self._walk(_EXPIRED, lane, hours, ends, done, lambda coupons: self._expire(coupons, now))
        if sweep.remind_hours:
            soon = hour_of(now) + sweep.remind_hours
            for lane in range(LANES):
                # What ends within the hour is too late to say, and one that is over is nobody's news.
                hours = range(max(self._hours(_REMINDED, lane, soon).start, hour_of(now) + 2), soon + 1)
                done["behind"] += not self._walk(_REMINDED, lane, hours, ends, done, lambda coupons: self._remind(coupons, now))
        return done

    def _hours(self, name: str, lane: int, until: int) -> range:
        mark = self._store.mark(name, lane)
        start = until - self._config.sweep.look_back_hours if mark is None else mark + 1
        return range(start, until + 1)

    def _walk(
        self,
        name: str,
        lane: int,
        hours: range,
        ends: float,
        done: dict[str, int],
        treat: Callable[[list[Coupon]], int],
    ) -> bool:
        """Hour by hour; True when all were finished. What was finished is marked, also when time runs out."""
        finished = None
        for hour in hours:
            if not self._finish(name, hour, lane, ends, done, treat):
                break
            finished = hour
        if finished is not None:
            self._store.advance(name, lane, finished)
        return not hours or finished == hours[-1]

    def _finish(
        self, name: str, hour: int, lane: int, ends: float, done: dict[str, int], treat: Callable[[list[Coupon]], int]
    ) -> bool:
        cursor = ""
        while self._monotonic() < ends:
            coupons, cursor = self._store.ending(hour, lane, _PAGE, cursor)
            done[name] += treat([coupon for coupon in coupons if coupon.state is CouponState.ISSUED])
            if not cursor:
                return True
        return False

    def _expire(self, coupons: list[Coupon], now: datetime) -> int:
        size = self._config.sweep.together
        return sum(self._give_back(coupons[start : start + size], now) for start in range(0, len(coupons), size))

    def _give_back(self, coupons: list[Coupon], now: datetime) -> int:
        """A claim in the way passes in milliseconds; what keeps standing there leaves the hour to the next run."""
        for attempt in range(1, _CONTENTION_TRIES + 1):
            try:
                return self._store.expire(coupons, now)
            except TryLater:
                if attempt == _CONTENTION_TRIES:
                    raise
        return 0

    def _remind(self, coupons: list[Coupon], now: datetime) -> int:
        due = [coupon for coupon in coupons if coupon.expires_at - coupon.issued_at > self._notice]
        if due:
            self._moments.send([self._moment(coupon, now) for coupon in due])
        return len(due)

    @property
    def _notice(self) -> timedelta:
        """Nobody is reminded of what was hers for less than twice the notice."""
        return timedelta(hours=2 * self._config.sweep.remind_hours)

    def _moment(self, coupon: Coupon, now: datetime) -> Moment:
        """Its id holds offer and edition: told twice it is one. The message shows the coupon she holds (`facts.held`)."""
        subject = f"{coupon.offer}/{coupon.edition}" if coupon.edition else coupon.offer
        offer = self._config.offers.get(coupon.offer)
        return Moment(
            id=f"{KIND}#{subject}",
            correlation_id="",
            sent_at_ms=to_ms(now),
            shopper=coupon.shopper,
            kind=KIND,
            subject=subject,
            occurred_at_ms=to_ms(now),
            due_at_ms=to_ms(now),
            expires_at_ms=to_ms(coupon.expires_at),
            facts={"held": {"code": shown(coupon.code), "text": dict(offer.text) if offer else {}}},
        )
