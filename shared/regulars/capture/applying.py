"""Behind the queue: one shopper's unit is applied exactly once.

    read the record ─▶ judge each event ─▶ write the record on its version ─▶ contacts, feeds ─▶ the log
                            (fresh, own, repeated, conflicting: `regulars.profiles.seen`)

The record's write is the one moment at which an event counts: it carries the weights and the hashes of what was applied, and
holds only on the version that was read. All before it (orders, known by their ids) and all after it may be repeated without
a second effect. A delivery that died after the write finds its own hashes and repeats just that; an event another delivery
brought is dropped, as its own delivery answers for the rest. Nothing is lost, nothing counts twice. A transaction over
record and log would say the same at twice the units.

A shopper whom nobody knows may have been erased: asked only then, so it costs those alone a read. An erasure that comes
between the read and the write takes the version away, and the next look finds it.

Why read first: last looks, carts and rule tags are no sums, a version covers them and the weights alike, and a read costs a
fifth of a write. Two deliveries for one shopper at a time: the later one reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from regulars.capture import names
from regulars.capture.log import EventLog
from regulars.capture.lookup import CatalogueLookup
from regulars.capture.model import Event
from regulars.capture.ports import Quarantine
from regulars.capture.refusing import Refusals, readable
from regulars.capture.telling import News, news, noted
from regulars.catalogue.ports import Catalogue
from regulars.clock import Clock, from_ms
from regulars.decisions.ports import Contacts
from regulars.errors import Conflict, TryLater
from regulars.messages import EventUnit
from regulars.profiles import seen
from regulars.profiles.applying import applied
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.orders import order_facts, order_told
from regulars.profiles.reading import ruled
from regulars.profiles.record import Record, joined, tombstone
from regulars.profiles.rules import Rule
from regulars.profiles.tagging import deed_ms, number, product_id, unknown_products
from regulars.profiles.writing import ProfileStore

Count = Callable[[Mapping[str, int]], None]
_TRIES = 20
_JOINS = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many events of a unit went which way; `again`: applied before by this very delivery."""

    applied: int = 0
    again: int = 0
    repeated: int = 0
    conflicting: int = 0
    joined: int = 0
    fed: int = 0
    quarantined: int = 0
    erased: int = 0


class _Erased(Exception):
    """The shopper was erased: nothing may be kept of her. Never leaves this page."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One attempt: the record read, the one to write, and who joins it."""

    shopper: str
    before: Record
    after: Record
    fresh: tuple[Event, ...]
    own: tuple[Event, ...]
    tombstones: tuple[Record, ...]
    verdicts: seen.Verdicts


class CaptureEvents:
    """Applies units. Raises TryLater when others keep writing the same shopper, or a store is out of breath."""

    def __init__(
        self,
        *,
        profiles: ProfileStore,
        log: EventLog,
        contacts: Contacts,
        catalogue: Catalogue,
        quarantine: Quarantine,
        config: ProfilesConfig,
        rules: Sequence[Rule],
        keep_days: int,
        quarantine_days: int,
        clock: Clock,
        count: Count,
    ) -> None:
        self._profiles = profiles
        self._log = log
        self._contacts = contacts
        self._catalogue = catalogue
        self._lookup = CatalogueLookup(catalogue, clock)
        self._refusals = Refusals(quarantine, clock, quarantine_days)
        self._config = config
        self._rules = rules
        self._keep_days = keep_days
        self._clock = clock
        self._count = count

    def __call__(self, unit: EventUnit) -> Outcome:
        events, refused = readable(unit, self._config.weights)
        feeds = [event for event in events if event.name in names.FEEDS]
        deeds = [event for event in events if event.name not in names.FEEDS]
        unknown = sum(not self._feed(event) for event in feeds)
        try:
            step = self._apply(unit, deeds) if deeds else None
        except _Erased:
            self._count({"EventsOfErased": len(deeds) + len(refused)})
            return Outcome(fed=len(feeds), erased=len(deeds) + len(refused))
        self._refusals.keep(unit, refused)
        dropped = {id(deeds[place]) for place in (*step.verdicts.repeated, *step.verdicts.conflicting)} if step else set()
        self._write_log(unit, [event for event in events if id(event) not in dropped], step)
        outcome = Outcome(
            applied=len(step.fresh) if step else 0,
            again=len(step.own) if step else 0,
            repeated=len(step.verdicts.repeated) if step else 0,
            conflicting=len(step.verdicts.conflicting) if step else 0,
            joined=len(step.tombstones) if step else 0,
            fed=len(feeds),
            quarantined=len(refused),
        )
        self._tell(outcome, unknown)
        return outcome

    def _apply(self, unit: EventUnit, events: Sequence[Event]) -> _Step:
        """Until the write holds: read, judge, write; then the contacts."""
        delivery = seen.delivery_hash(unit.id, unit.received_at_ms)
        entries = [seen.entry(event.to_wire(), delivery) for event in events]
        for _ in range(_TRIES):
            step = self._step(unit, events, entries)
            if not step.fresh and not step.tombstones:
                break
            try:
                self._profiles.save(step.after, step.tombstones)
                break
            except Conflict:
                continue
        else:
            raise TryLater("others keep writing this shopper", code="contended")
        self._tell_contacts(step, events)
        return step

    def _step(self, unit: EventUnit, events: Sequence[Event], entries: Sequence[bytes]) -> _Step:
        before = self._profiles.load(unit.shopper)
        if before.merged_into:
            before = self._profiles.load(before.merged_into)
        if not before.version and self._profiles.erased(before.shopper, self._clock()):
            raise _Erased
        weights = self._config.weights
        record, tombstones = self._with_history(before, events)
        verdicts = seen.judge(record.seen, entries)
        fresh = tuple(replace(events[place], shopper=record.shopper) for place in verdicts.fresh)
        own = tuple(replace(events[place], shopper=record.shopper) for place in verdicts.own)
        orders = [order for event in fresh if (order := order_told(event))]
        if orders:
            self._profiles.join_orders(record.shopper, orders)
        after = record
        if fresh or tombstones:
            after = applied(record, fresh, self._lookup.get(unknown_products(fresh, weights)), weights)
            after = noted(after, fresh)
            new = [entries[place] for place in verdicts.fresh]
            after = replace(after, seen=seen.remember(after.seen, new, unit.received_at_ms, weights.seen_per_week))
            if orders or tombstones:
                after = replace(after, orders=order_facts(self._profiles.orders(record.shopper)))
            rule_tags = ruled(after, from_ms(after.newest_ms), self._config, self._rules)
            after = replace(after, rule_tags=rule_tags)
        return _Step(record.shopper, before, after, fresh, own, tombstones, verdicts)

    def _with_history(self, user: Record, events: Sequence[Event]) -> tuple[Record, tuple[Record, ...]]:
        """The record with the histories of anonymous shoppers whom these events name as hers, and their tombstones.

        An anonymous shopper joins once: a device that was another's stays the other's. One nobody has seen yet joins too,
        so that its late events find her; one that was erased does not, so that they find that. Orders are copied first:
        repeating that changes nothing. Of more than twenty the others join with their next event: a transaction has its limits.
        """
        tombstones = []
        for alias in anonymous_ids(events)[:_JOINS]:
            if not user.shopper.startswith("user:") or user.knows(alias):
                continue
            anonymous = self._profiles.load(alias)
            if anonymous.merged_into:
                continue
            if not anonymous.version and self._profiles.erased(alias, self._clock()):
                continue
            if anonymous.version:
                self._profiles.join_orders(user.shopper, self._profiles.orders(alias))
            user = joined(user, anonymous, self._config.weights)
            tombstones.append(tombstone(anonymous, user.shopper))
        return user, tuple(tombstones)

    def _tell_contacts(self, step: _Step, events: Sequence[Event]) -> None:
        """Joins first, then the news. A delivery that comes again repeats its joins: it may have died before them."""
        now = self._clock()
        again = [alias for alias in anonymous_ids(events) if step.own and step.after.knows(alias)]
        for alias in dict.fromkeys([*(entry.shopper for entry in step.tombstones), *again]):
            self._contacts.merge(alias, step.shopper, now=now)
        told: News = news(step.before, step.after, step.fresh, step.own)
        if told:
            self._contacts.update(
                step.shopper,
                now=now,
                addresses=told.addresses or None,
                consent=told.consent or None,
                consent_at=told.consent_at,
                details=told.details or None,
                proof=told.proof,
            )

    def _feed(self, event: Event) -> bool:
        """A feed's word about price or stock, known by its own time; False for an item the catalogue does not have."""
        told = event.properties
        price, stock, active = told.get("price"), told.get("stock"), told.get("active")
        return self._catalogue.update(
            product_id(told),
            at=from_ms(deed_ms(event)),
            price_cents=None if price is None else round(number(price) * 100),
            stock=None if stock is None else int(number(stock)),
            active=active if isinstance(active, bool) else None,
        )

    def _write_log(self, unit: EventUnit, events: Sequence[Event], step: _Step | None) -> None:
        """Under the shopper the events count for. A unit that came again after its shopper joined another may be in
        under the old name: looked up first, or it would stand twice."""
        received = from_ms(unit.received_at_ms)
        shopper = step.shopper if step else unit.shopper
        moved = step is not None and bool(step.own) and shopper != unit.shopper
        if not events or (moved and self._log.holds(unit.shopper, unit.id, received)):
            return
        logged = [replace(event, shopper=shopper) for event in events]
        self._log.append(shopper, unit.id, received, logged, self._keep_days)

    def _tell(self, outcome: Outcome, unknown: int) -> None:
        counts = {
            "EventsRepeated": outcome.repeated,
            "EventsConflicting": outcome.conflicting,
            "EventsQuarantined": outcome.quarantined,
            "FeedItemsUnknown": unknown,
        }
        if any(counts.values()):
            self._count({name: value for name, value in counts.items() if value})


def anonymous_ids(events: Sequence[Event]) -> tuple[str, ...]:
    """`anon:…` shoppers whom these events say to be the same person: beside a userId, or before an alias."""
    found = [event.anonymous_id for event in events if event.user_id and event.anonymous_id]
    found += [event.previous_id for event in events if event.type == "alias" and event.user_id and event.previous_id]
    return tuple(dict.fromkeys(f"anon:{anonymous_id}" for anonymous_id in found))
