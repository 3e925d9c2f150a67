"""What may stand in the section `offers`."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.support.offers import settings

from regulars.decisions.config import Decisions
from regulars.errors import Invalid
from regulars.offers.config import Offer, OfferSettings
from regulars.offers.stock import limit_of, shards_wanted
from regulars.shop import section

SOUND: dict[str, Any] = {"kind": "percent", "percent": 10, "days": 3}
EIGHT = timezone(timedelta(hours=8))


def test_the_defaults_are_sound_and_go_with_the_kinds_that_name_them() -> None:
    offers = section(OfferSettings, "offers").offers
    kinds = section(Decisions, "decisions").kinds
    assert {"welcome_30", "winback_25", "repurchase_20", "birthday_15"} <= set(offers)
    assert {kind.offer for kind in kinds.values() if kind.offer} <= set(offers)
    assert all({"en", "zh"} <= set(offer.text) for offer in offers.values())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "gift"}, "kind is one of"),
        ({"edition": "week"}, "edition is one of"),
        ({"percent": 0}, "percent is 1 to 100"),
        ({"percent": 101}, "percent is 1 to 100"),
        ({"kind": "fixed"}, "off_cents is missing"),
        ({"kind": "threshold", "off_cents": 500, "minimum_cents": 400, "currency": "GBP"}, "below off_cents"),
        ({"minimum_cents": 100}, "need a currency"),
        ({"minimum_cents": 100, "currency": "pounds"}, "need a currency"),
        ({"minimum_cents": -1}, "not negative"),
        ({"stock": -1}, "not negative"),
        ({"most_discount_cents": 0, "currency": "GBP"}, "not negative"),
        ({"days": 0}, "days are above 0"),
        ({"days": None}, "needs days or until"),
        ({"until": "soon"}, "ISO 8601"),
        ({"starts": "2026-13-01"}, "ISO 8601"),
        ({"tiers": ["gold"]}, "tiers are low, mid, high"),
        ({"budget_cents": 100, "currency": "GBP"}, "a budget needs cost_cents"),
        ({"claims_per_second": 0}, "claims_per_second is 1 or more"),
        ({"claimable": True, "edition": "moment"}, "has no moment"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_place(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as raised:
        settings({"odd": {**SOUND, **changes}})
    assert raised.value.field == "offers.offers.odd"


@pytest.mark.parametrize(
    "more",
    [
        {"abuse": {"postcode": {"uses": 1, "days": 1}}},
        {"abuse": {"device": {"uses": 0, "days": 1}}},
        {"abuse": {"shopper": {"uses": 1, "days": 365}}},
        {"sharding": {"writes_per_second": 401}},
        {"least_hours": 0},
        {"sweep": {"together": 31}},
    ],
)
def test_neither_are_numbers_that_would_break_a_promise(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        settings(**more)


def test_a_name_fits_keys_and_urls() -> None:
    for name in ("First", "a#b", "", "x" * 41):
        with pytest.raises(Invalid, match="a name is"):
            settings({name: SOUND})


def test_instants_are_the_shops_clock_and_a_date_counts_whole() -> None:
    offer = Offer(kind="percent", percent=5, starts=date(2026, 11, 11), until=date(2026, 11, 11))
    assert offer.starts_at(EIGHT) == datetime(2026, 11, 10, 16, tzinfo=UTC)
    assert offer.ends_at(EIGHT) == datetime(2026, 11, 11, 16, tzinfo=UTC)
    text = Offer(kind="percent", percent=5, starts="2026-11-11T20:00", until="2026-11-11T20:00:00+01:00")
    assert text.starts_at(EIGHT) == datetime(2026, 11, 11, 12, tzinfo=UTC)
    assert text.ends_at(EIGHT) == datetime(2026, 11, 11, 19, tzinfo=UTC)
    assert text.starts_at(UTC) == datetime(2026, 11, 11, 20, tzinfo=UTC)
    assert Offer(kind="percent", percent=5, days=1).ends_at(UTC) is None


def test_a_date_may_be_written_without_quotes() -> None:
    from regulars.shop import parse_yaml

    parsed = parse_yaml("{kind: percent, percent: 5, until: 2026-12-31, starts: 2026-12-01 08:00:00}")
    offer = settings({"dated": parsed}).offers["dated"]
    assert offer.ends_at(UTC) == datetime(2027, 1, 1, tzinfo=UTC)
    assert offer.starts_at(UTC) == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_the_narrower_of_stock_and_budget_counts() -> None:
    assert Offer(kind="percent", percent=5).pieces is None
    assert Offer(kind="percent", percent=5, stock=7).pieces == 7
    assert Offer(kind="percent", percent=5, stock=7, budget_cents=1_000, cost_cents=300).pieces == 3


def test_ten_thousand_claims_a_second_take_a_hundred_shards_that_add_up() -> None:
    config = settings().sharding
    assert shards_wanted(Offer(kind="percent", claims_per_second=10_000), 100_000, config) == 100
    assert shards_wanted(Offer(kind="percent", claims_per_second=10_000), 12, config) == 12
    assert shards_wanted(Offer(kind="percent"), 100_000, config) == 1
    assert sum(limit_of(1_234, 100, shard) for shard in range(100)) == 1_234
