"""What the sweep expects of each shopper: facts of the profile, told anew only when they say something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from tests.support.needs import settings
from tests.support.shoppers import DAY, HOUR, NOON, Shop, config, order, rules, unit

from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import GiveUp
from regulars.needs.expecting import Mbg
from regulars.needs.forecasting import Forecaster
from regulars.needs.habits import EXPECTED, FEATURES
from regulars.needs.model import Return
from regulars.needs.worth import OrderValue
from regulars.profiles.model import Expected
from regulars.profiles.outlooks import told
from regulars.profiles.sweep import SweepLifecycle

FACTS = settings().facts
KNOWN = Expected(purchases=4.0, horizon_days=90, chance=0.8, next_day=date(2026, 3, 20), lifetime_cents=20_000)
TODAY = date(2026, 3, 10)


def foresee() -> Forecaster:
    """Log odds are those of the expected purchases; the shop's orders are worth 30.00."""
    weights = tuple(float(name == EXPECTED) for name in (*FEATURES, EXPECTED))
    returning = Return(90, Mbg(0.8, 20.0, 0.3, 3.0), 0.5, weights, 30.0, "expected")
    return Forecaster("v1", returning, OrderValue(3000.0, 2.0), settings())


def broken() -> Forecaster:
    raise GiveUp("not a model of needs", code="broken_model")


def sweep(shop: Shop, storage: MemoryStorage, at: datetime, needs: object) -> dict[str, object]:
    run = SweepLifecycle(
        profiles=shop.profiles,
        moments=MemoryQueue(),
        storage=storage,
        config=config(),
        rules=rules(),
        clock=lambda: at,
        report=lambda name, facts: None,
        needs=needs,  # type: ignore[arg-type]
    )
    return dict(run())


def weekly() -> Shop:
    shop = Shop()
    for number in range(8):
        shop.capture(unit([order(f"o{number}", NOON + number * 7 * DAY + HOUR, 40.0, shopper="user:w")]))
    shop.capture(unit([order("once", NOON + HOUR, 10.0, shopper="user:1")]))
    shop.now = NOON + 52 * DAY
    return shop


def test_the_sweep_tells_who_comes_back_when_and_what_she_is_worth() -> None:
    shop = weekly()
    summary = sweep(shop, MemoryStorage(), shop.now, foresee)
    regular, other = shop.profile("user:w").expected, shop.profile("user:1").expected
    assert regular is not None
    assert other is not None
    assert regular.purchases > 3 > other.purchases > 0
    assert regular.chance > other.chance
    assert regular.next_day == (NOON + 56 * DAY).date()
    assert regular.lifetime_cents > other.lifetime_cents > 0
    assert summary["needs"] == "v1"
    assert summary["lifetime_cents"] == regular.lifetime_cents + other.lifetime_cents


def test_a_fact_that_says_the_same_is_not_written_again() -> None:
    shop = weekly()
    storage = MemoryStorage()
    sweep(shop, storage, shop.now, foresee)
    versions = [shop.profiles.load(she).version for she in ("user:w", "user:1")]
    sweep(shop, storage, shop.now + HOUR, foresee)
    assert [shop.profiles.load(she).version for she in ("user:w", "user:1")] == versions


def test_without_a_model_or_with_a_broken_one_facts_stay() -> None:
    shop = weekly()
    storage = MemoryStorage()
    sweep(shop, storage, shop.now, foresee)
    known = shop.profile("user:w").expected
    assert sweep(shop, storage, shop.now + DAY, lambda: None)["needs"] == ""
    assert sweep(shop, storage, shop.now + 2 * DAY, broken)["needs"] == "broken_model"
    assert shop.profile("user:w").expected == known


@pytest.mark.parametrize(
    ("changes", "today", "anew"),
    [
        ({"purchases": 3.5, "chance": 0.75, "next_day": date(2026, 3, 22)}, TODAY, False),
        ({"purchases": 3.1}, TODAY, True),
        ({"chance": 0.6}, TODAY, True),
        ({"lifetime_cents": 30_000}, TODAY, True),
        ({"next_day": date(2026, 3, 24)}, TODAY, True),
        ({"horizon_days": 60}, TODAY, True),
        ({"next_day": date(2026, 3, 21)}, date(2026, 3, 21), True),  # the day that was told has passed
    ],
)
def test_what_counts_as_news(changes: dict[str, object], today: date, anew: bool) -> None:
    found = replace(KNOWN, **changes)  # type: ignore[arg-type]
    assert told(KNOWN, found, today, FACTS) == (found if anew else KNOWN)


def test_first_and_last_words() -> None:
    assert told(None, KNOWN, TODAY, FACTS) is KNOWN
    assert told(KNOWN, None, TODAY, FACTS) is None  # every order was given back
    assert told(KNOWN, replace(KNOWN, next_day=TODAY + timedelta(days=9)), TODAY, FACTS) is KNOWN
