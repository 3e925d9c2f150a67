"""One shopper's events, applied once, whatever the queue does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.shoppers import DAY, HOUR, MINUTE, MUG, NOON, SECOND, SHE, Shop, event, identify, order, same, unit

from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.capture.model import Event
from regulars.errors import Conflict, TryLater
from regulars.profiles.record import Record

LATER = NOON + HOUR


def test_a_view_leaves_tags_of_all_layers_from_the_catalogue() -> None:
    shop = Shop()
    outcome = shop.capture(unit([event(context={"location": {"country": "GB"}, "timezone": "Asia/Shanghai"})]))
    profile = shop.profile()
    assert outcome.applied == 1
    assert set(profile.tags) == {
        "base/region/gb",
        "behaviour/habit/viewer",
        "preference/category/home-mugs",
        "preference/brand/kiln",
        "preference/style/minimal",
        "preference/material/stoneware",
        "preference/colour/red",
        "occasion/occasion/gifting",
        "occasion/occasion/home-refresh",
    }
    assert profile.items["mug"] == pytest.approx(1.0)
    assert profile.hour_weights == pytest.approx({20: 1.0})
    assert profile.first_seen_at == profile.last_seen_at == NOON
    assert shop.logged() == [event(context={}).message_id]


def test_the_same_unit_twice_counts_once_and_is_logged_once() -> None:
    shop = Shop()
    it = unit([event(), event("Product Added", LATER), order("o1", LATER + HOUR)])
    shop.capture(it)
    before = shop.profile()
    again = shop.capture(it)
    assert (again.applied, again.again, again.repeated) == (0, 3, 0)
    assert shop.profile() == before
    assert len(shop.logged()) == 3
    assert not shop.counted


def test_batches_cut_differently_count_each_event_once() -> None:
    shop = Shop()
    a, b, c = (event(at=NOON + n * MINUTE) for n in range(3))
    shop.capture(unit([a, b]))
    outcome = shop.capture(unit([b, c], LATER))
    assert (outcome.applied, outcome.repeated) == (1, 1)
    assert shop.logged() == [a.message_id, b.message_id, c.message_id]
    assert shop.counted == {"EventsRepeated": 1}


def test_one_event_twice_in_a_unit_counts_once() -> None:
    shop = Shop()
    for _ in range(2):
        outcome = shop.capture(unit([event(), event()]))
    assert (outcome.again, outcome.repeated) == (1, 1)
    assert shop.logged() == [event().message_id]
    assert shop.profile().items["mug"] == pytest.approx(1.0)


@pytest.mark.parametrize(("days", "applied"), [(0, 0), (6.9, 0), (27.99, 0), (28, 0), (36, 1)])
def test_repeats_are_known_for_twenty_eight_days(days: float, applied: int) -> None:
    """Whatever the weekday; beyond, nothing is promised, and nothing is kept."""
    for weekday in range(7):
        shop = Shop()
        start = NOON + weekday * DAY
        it = event(at=start)
        shop.capture(unit([it]))
        for day in range(int(days) + 1):
            shop.capture(unit([event("Products Searched", start + day * DAY + MINUTE)]))
        repeat = shop.capture(unit([it], start + timedelta(days=days)))
        assert repeat.applied == applied, weekday
        assert len(shop.profiles.load(SHE).seen) <= 5


def test_a_message_id_with_other_content_is_a_conflict_and_the_first_stands() -> None:
    shop = Shop()
    shop.capture(unit([event(id="m1")]))
    outcome = shop.capture(unit([event(id="m1", properties={"product_id": "vase"})], LATER))
    assert (outcome.conflicting, outcome.applied) == (1, 0)
    assert shop.counted == {"EventsConflicting": 1}
    assert set(shop.profile().items) == {"mug"}
    assert shop.logged() == ["m1"]


def test_a_retry_with_another_clock_correction_is_no_conflict() -> None:
    shop = Shop()
    shop.capture(unit([event(id="m1")]))
    outcome = shop.capture(unit([replace(event(id="m1"), at=NOON + 3 * SECOND, received_at=LATER)], LATER))
    assert (outcome.conflicting, outcome.repeated) == (0, 1)


def test_ten_thousand_repeated_ids_with_other_content_are_all_conflicts() -> None:
    shop = Shop()
    views = [event(id=f"m{n}", at=NOON + n * SECOND) for n in range(2000)]
    for start in range(0, 2000, 500):
        shop.capture(unit(views[start : start + 500]))
    found = 0
    for turn in range(5):
        others = [replace(view, properties={"product_id": f"other{turn}"}) for view in views]
        found += shop.capture(unit(others, LATER + turn * MINUTE)).conflicting
    assert found == 10_000


class Dies(Exception):
    pass


class Fragile:
    """Wraps a port; the `nth` call of a writing method raises, before or after the work."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.burn()
            answer = method(*args, **kwargs)
            self._fuse.burn()
            return answer

        return call


class Fuse:
    """Burns down one step at each boundary and raises when it is out; never when `steps` is negative."""

    def __init__(self) -> None:
        self.steps = -1

    def burn(self) -> None:
        if self.steps == 0:
            self.steps = -1
            raise Dies
        self.steps -= 1


def story() -> list[Event]:
    """A guest who browses, leaves a number and buys."""
    guest = [event(at=NOON + n * MINUTE, shopper="anon:a1") for n in range(2)]
    guest.append(identify({"phone": "+441632960000", "consent": {"sms": False}}, NOON + 4 * MINUTE, shopper="anon:a1"))
    return [*guest, order("guest-order", NOON + 5 * MINUTE, shopper="anon:a1")]


def after_login() -> list[Event]:
    return [
        identify({"email": "a@b.example", "consent": {"email": True}, "style": "x"}, LATER, anonymous_id="a1"),
        event("Product Added", LATER + MINUTE, anonymous_id="a1"),
        order("o1", LATER + 2 * MINUTE, anonymous_id="a1"),
    ]


def test_a_crash_at_any_boundary_loses_nothing_and_doubles_nothing() -> None:
    """After every call of every port, before and after its work; the queue then brings the unit again."""
    wanted, fuse = Shop(), Fuse()
    wanted.capture(unit(story()))
    wanted.capture(unit(after_login()))
    crashes = 0
    for steps in range(200):
        shop = Shop()
        shop.capture(unit(story()))
        ports: dict[str, Any] = {
            name: Fragile(getattr(shop, name), fuse) for name in ("profiles", "log", "contacts", "catalogue")
        }
        fragile = Shop(**ports)
        fuse.steps = steps
        try:
            fragile.capture(unit(after_login()))
        except Dies:
            crashes += 1
            fragile.capture(unit(after_login()))
        fuse.steps = -1
        assert shop.profile() == wanted.profile(), steps
        assert shop.logged() == wanted.logged(), steps
        assert shop.logged("anon:a1") == wanted.logged("anon:a1"), steps
        contact, right = shop.contacts.load(SHE), wanted.contacts.load(SHE)
        assert (contact.addresses, contact.consent) == (right.addresses, right.consent), steps
        if steps > crashes:
            break
    assert crashes >= 14


class Racing(MemoryProfiles):
    """Somebody else writes between every read and write, `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.rival: Shop | None = None
        self.saves = 0

    def save(self, record: Record, merged: Sequence[Record] = ()) -> None:
        if self.times and self.rival:
            self.times -= 1
            rival, self.rival = self.rival, None
            rival.capture(unit([event("Products Searched", NOON + self.times * SECOND)]))
            self.rival = rival
        self.saves += 1
        super().save(record, merged)


def test_deliveries_for_one_shopper_at_a_time_all_count() -> None:
    profiles = Racing(5)
    shop = Shop(profiles=profiles)
    profiles.rival = Shop(profiles=profiles)
    shop.capture(unit([event()]))
    profile = shop.profile()
    assert profile.tags["behaviour/habit/searcher"] == pytest.approx(5, rel=0.01)
    assert profile.tags["behaviour/habit/viewer"] == pytest.approx(1, rel=0.01)
    assert profiles.saves == 11


def test_endless_rivalry_goes_back_to_the_queue() -> None:
    class Always(MemoryProfiles):
        def save(self, record: Record, merged: Sequence[Record] = ()) -> None:
            raise Conflict("rival")

    with pytest.raises(TryLater):
        Shop(profiles=Always()).capture(unit([event()]))


def test_exactly_one_of_two_racing_deliveries_of_one_event_wins() -> None:
    profiles = MemoryProfiles()
    shop, rival = Shop(profiles=profiles), Shop(profiles=profiles)
    it = event()
    real_save, outcomes = profiles.save, []

    def save(record: Record, merged: Sequence[Record] = ()) -> None:
        profiles.save = real_save  # type: ignore[method-assign]
        outcomes.append(rival.capture(unit([it], LATER)))
        real_save(record, merged)

    profiles.save = save  # type: ignore[method-assign]
    outcomes.append(shop.capture(unit([it])))
    assert sorted(outcome.applied for outcome in outcomes) == [0, 1]
    assert shop.profile().items["mug"] == pytest.approx(1.0, rel=0.01)


def test_an_order_empties_the_cart_of_what_was_added_before_it() -> None:
    shop = Shop()
    add = [event("Product Added", NOON + n * MINUTE, properties={"product_id": f"i{n}"}) for n in range(4)]
    shop.capture(unit([add[3], order("o1", NOON + 2 * MINUTE + SECOND), add[0], add[1], add[2]]))
    assert set(shop.profile().cart) == {"i3"}


def test_a_feed_changes_the_catalogue_and_no_profile() -> None:
    shop = Shop()
    stock = event("Inventory Updated", properties={"product_id": "mug", "stock": 0}, shopper="user:erp")
    price = event("Product Updated", LATER, properties={"product_id": "mug", "price": 9.99}, shopper="user:erp")
    gone = event("Inventory Updated", LATER, properties={"product_id": "nope", "stock": 1}, shopper="user:erp")
    outcome = shop.capture(unit([stock, price, gone]))
    item = shop.catalogue.get(["mug"])["mug"]
    assert (item.stock, item.price_cents, outcome.fed) == (0, 999, 3)
    assert shop.profiles.load("user:erp").version == 0
    assert len(shop.logged("user:erp")) == 3
    assert shop.counted == {"FeedItemsUnknown": 1}


def test_an_event_that_cannot_be_applied_is_quarantined_and_its_neighbours_live() -> None:
    shop = Shop()
    good = event()
    wires = [good.to_wire(), {"type": "track"}, event(at=LATER).to_wire() | {"properties": 7}]
    it = replace(unit([good]), events=tuple(wires))
    for _ in range(2):
        outcome = shop.capture(it)
    assert outcome.quarantined == 2
    assert [entry.code for entry in shop.quarantine.list(NOON.date())] == ["unapplicable"] * 2
    assert shop.logged() == [good.message_id]


def test_what_an_event_says_does_not_hang_on_what_came_along_with_it() -> None:
    told = event(properties={"product_id": "mug", "category": "Vases"})
    together, apart = Shop(), Shop()
    together.capture(unit([told, order("o1", NOON)]))
    for it in (told, order("o1", NOON)):
        apart.capture(unit([it]))
    assert same(together.profile(), apart.profile())


def test_the_catalogue_is_asked_once_a_unit_and_only_for_what_events_lack() -> None:
    class Counting:
        def __init__(self) -> None:
            self.asked: list[list[str]] = []

        def get(self, item_ids: Any) -> dict[str, Any]:
            self.asked.append(sorted(item_ids))
            return {"mug": MUG}

    catalogue = Counting()
    shop = Shop(catalogue=catalogue)  # type: ignore[arg-type]
    told = event(properties={"product_id": "vase", "category": "Vases"})
    shop.capture(unit([event(), told, event(at=LATER), event(at=LATER, properties={"product_id": "tin"})]))
    shop.capture(unit([event(at=LATER + MINUTE)]))
    assert catalogue.asked == [["mug", "tin"]]
    shop.now += HOUR
    shop.capture(unit([event(at=LATER + 2 * MINUTE)]))
    assert catalogue.asked == [["mug", "tin"], ["mug"]]
