"""Events of one shopper in, changes of her timers out. Pure: the same events, cut into other batches, plan the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.capture import names
from regulars.capture.model import Event
from regulars.catalogue.model import Item
from regulars.clock import zone_named
from regulars.profiles.model import Profile
from regulars.triggers import birthdays, repurchase, rules
from regulars.triggers.agenda import Agenda, Plan
from regulars.triggers.config import Triggers
from regulars.triggers.model import Timer
from regulars.triggers.reading import lines, month_day, zone_name

_ADDED = frozenset((names.PRODUCT_ADDED, names.WISHLIST_TO_CART))


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What planning may know. `known`: the shopper's timers; `joined`: those of keys whose history joins hers now.

    `profile` and `items` (bought ones) are read only when `wants_profile` and `bought_items` say so. `zone`: the shop's.
    """

    now: datetime
    zone: ZoneInfo
    known: Sequence[Timer] = ()
    joined: Sequence[Timer] = ()
    profile: Profile | None = None
    items: Mapping[str, Item] = field(default_factory=dict)


def is_of_interest(event: Event, numbers: Triggers) -> bool:
    """Some rule reads it; the shopper's timers need not be read for the rest."""
    if event.type == "track":
        return event.name in _TRACKED or event.name in numbers.welcome.names or event.name in numbers.orders.statuses
    return event.type in ("identify", "alias")


def bought_items(events: Iterable[Event]) -> list[str]:
    """Items whose repurchase is to be planned."""
    paid = (event for event in events if event.name == names.ORDER_COMPLETED)
    return list(dict.fromkeys(line.item_id for event in paid for line in lines(event)))


def wants_profile(events: Iterable[Event], known: Sequence[Timer], now: datetime, numbers: Triggers) -> bool:
    """Purchases for an order; how new she is for an identify that nothing greeted yet."""
    greeted = any(timer.kind == rules.WELCOME for timer in known)
    return any(event.name == names.ORDER_COMPLETED or (_may_greet(event, now, numbers) and not greeted) for event in events)


def plan(shopper: str, events: Iterable[Event], about: Circumstances, numbers: Triggers) -> Plan:
    """The changes, least writes: what stands already is not written again."""
    agenda = Agenda(shopper, about.known, about.now)
    agenda.join(about.joined, rules.SINGLE)
    agenda.drop(timer for timer in agenda.of(*rules.SINGLE) if rules.is_answered(agenda, timer.occurred_at, numbers))
    for event in sorted(events, key=lambda event: event.at):
        if event.type == "identify":
            _plan_identify(agenda, event, about, numbers)
        elif event.type == "track":
            _plan_track(agenda, event, about, numbers)
    agenda.forget(timedelta(days=numbers.remember_days))
    return agenda.plan()


def _plan_track(agenda: Agenda, event: Event, about: Circumstances, numbers: Triggers) -> None:
    fresh = rules.is_fresh(event, about.now, numbers)
    if event.name == names.ORDER_COMPLETED:
        rules.answer(agenda, event, numbers)
        profile = about.profile or Profile(shopper=agenda.shopper, as_of=about.now)
        repurchase.plan_order(agenda, event, profile, about.items, numbers)
    elif event.name in _GIVEN_BACK:
        repurchase.undo_order(agenda, event)
    if not fresh:
        return
    if event.name in numbers.orders.statuses:
        rules.tell_order(agenda, event, numbers)
    if event.name in numbers.welcome.names:
        rules.greet(agenda, event, numbers)
    rule = _FRESH.get(event.name)
    if rule is not None and not rules.is_answered(agenda, event.at, numbers):
        rule(agenda, event, numbers)


def _plan_identify(agenda: Agenda, event: Event, about: Circumstances, numbers: Triggers) -> None:
    if _may_greet(event, about.now, numbers) and _is_new(event, about.profile, numbers):
        rules.greet(agenda, event, numbers)
    born = month_day(event.traits)
    if born:
        zone = _zone(event, about) or birthdays.standing_zone(agenda) or about.zone
        birthdays.plan_birthday(agenda, event, born, zone, numbers.birthday)


def _zone(event: Event, about: Circumstances) -> ZoneInfo | None:
    """The zone she tells now, or told before."""
    told = zone_named(zone_name(event))
    if told is None and about.profile is not None:
        told = zone_named(str(about.profile.traits.get("timezone") or ""))
    return told


def _may_greet(event: Event, now: datetime, numbers: Triggers) -> bool:
    return event.type == "identify" and bool(event.user_id) and rules.is_fresh(event, now, numbers)


def _is_new(event: Event, profile: Profile | None, numbers: Triggers) -> bool:
    """Segment's trait `createdAt` says it; without it, when she was first seen."""
    since = _created_at(event) or (profile.first_seen_at if profile else None) or event.at
    return event.at - since <= timedelta(days=numbers.welcome.new_within_days)


def _created_at(event: Event) -> datetime | None:
    told = event.traits.get("createdAt") or event.traits.get("created_at")
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at


_GIVEN_BACK = frozenset((names.ORDER_CANCELLED, names.ORDER_REFUNDED, names.ORDER_RETURNED))
_FRESH = {
    **dict.fromkeys(_ADDED, rules.fill_cart),
    names.PRODUCT_REMOVED: rules.empty_cart,
    names.PRODUCT_VIEWED: rules.note_view,
}
_TRACKED = frozenset((names.ORDER_COMPLETED, *_GIVEN_BACK, *_FRESH))
