"""What is bought again and when: one pair is as all pairs, the rule is its formula, dates are shrunk, thin shops keep it."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import date
from math import exp, log1p

import numpy as np
import pytest
from tests.support.needs import random_lines, settings

from regulars.errors import Invalid
from regulars.needs import pairs
from regulars.needs.evaluation_items import what_is_rebought, when_it_is_rebought
from regulars.needs.logistic import average_precision
from regulars.needs.pairs import Lines, lines_of, pairs_at
from regulars.needs.rebuying import PAIR_FEATURES, PRODUCTS, ItemFacts, Rebuying, pair_features, pair_of, rule, shrunk

REBUYING = settings().rebuying
LINES = random_lines(shoppers=80, items=12, days=300, seed=6)


def days_of(lines: Lines, shopper: int, today: int) -> dict[int, list[int]]:
    mine = (lines.shopper == shopper) & (lines.day < today)
    found: dict[int, list[int]] = {}
    for item, day in zip(lines.item[mine].tolist(), lines.day[mine].tolist(), strict=True):
        found.setdefault(item, []).append(day)
    return found


def test_one_pair_and_all_of_them_have_the_same_features() -> None:
    today = 250
    found = pairs_at(LINES, today, REBUYING)
    facts, _ = pairs.item_facts(LINES, today, REBUYING)
    table = pairs.matrix(found)
    assert table.shape == (len(found.shopper), len(PAIR_FEATURES) + len(PRODUCTS))
    assert np.isfinite(table).all()
    for row in range(0, len(table), 7):
        mine = days_of(LINES, int(found.shopper[row]), today)
        visits = sorted({day for days in mine.values() for day in days})
        item = int(found.item[row])
        known = ItemFacts(**{name: float(getattr(facts, name)[item]) for name in ItemFacts.__dataclass_fields__})
        pair = pair_of(mine[item], visits, known, today, REBUYING.trusted_gaps)
        assert table[row] == pytest.approx(pair_features(pair, log1p)), row


def test_items_tell_who_rebuys_and_after_how_long() -> None:
    lines = lines_of(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 0, 0, 1]), np.array([0, 10, 30, 5, 25, 9]))
    facts, usual = pairs.item_facts(lines, 40, REBUYING)
    assert (facts.buyers.tolist(), facts.rebuyers.tolist()) == ([2, 1], [2, 0])
    assert usual == 20  # gaps 10, 20, 20
    assert facts.gap_days.tolist() == [20, 20]
    assert facts.sold_28.tolist() == [2, 0]
    assert pairs.item_facts(lines.before(0), 40, REBUYING)[1] == REBUYING.default_gap_days


def test_the_rule_is_its_formula() -> None:
    pair = pair_of([0, 10, 20], [0, 10, 20, 24], ItemFacts(gap_days=50.0), 26, 3)
    assert rule(pair, exp) == pytest.approx(3.3 / (26 + 60) * exp(-6 / (3 * 10 + 30)))
    assert pair.gap == pytest.approx((2 * 10 + 50) / 3)
    assert (pair.since, pair.within, pair.visits, pair.visit_age) == (1, 4, 4, 2)
    assert shrunk(10.0, 3, 99.0, 3) == 10


def test_dues_of_a_shopper() -> None:
    model = Rebuying(14, 0.0, (), {"oil": ItemFacts(gap_days=30.0)}, usual_gap_days=40.0)
    today = date(2026, 3, 1).toordinal()
    told = model.dues(
        {
            "milk": [today - 15, today - 8, today - 1],
            "oil": [today - 60, today - 30],
            "salt": [today - 200, today - 190],
            "once": [today - 5],
            "now": [today - 7, today],
        },
        today,
    )
    assert [due.item_id for due in told] == ["milk", "oil", "salt"]
    assert [round(due.due_in_days, 1) for due in told] == [pytest.approx(17), pytest.approx(0), pytest.approx(-160)]
    assert not any(due.fitted for due in told)
    assert model.dues({}, today) == []


def test_the_logistic_gives_chances_and_beats_the_rule() -> None:
    fitted = pairs.learn(LINES, 250, replace(REBUYING, min_hits=50))
    assert fitted is not None
    found = pairs_at(LINES, 250, REBUYING)
    happened = pairs.rebought(LINES, found, 250, 264)
    assert average_precision(fitted.score(pairs.matrix(found)), happened) > average_precision(
        rule(found.state, np.exp), happened
    )
    model = Rebuying(14, fitted.intercept, tuple(fitted.weights.tolist()), {}, 30.0)
    told = model.dues({str(item): days for item, days in days_of(LINES, 3, 250).items()}, 250)
    assert told
    assert all(due.fitted and 0 < due.score < 1 for due in told)


def test_the_logistic_learns_from_the_past_only() -> None:
    cut = 250
    later = LINES.day >= cut
    shuffled = Lines(LINES.shopper, LINES.item, np.where(later, 299, LINES.day))
    one, other = (pairs.learn(each, cut, replace(REBUYING, min_hits=50)) for each in (LINES, shuffled))
    assert one is not None
    assert other is not None
    assert np.array_equal(one.weights, other.weights)


def test_a_thin_shop_keeps_the_rule() -> None:
    assert pairs.learn(LINES, 250, replace(REBUYING, min_hits=10**6)) is None
    measured = what_is_rebought(LINES, 250, replace(REBUYING, min_hits=10**6))
    assert next(iter(measured.rows)).startswith("rule")
    assert "the rule stands alone" in measured.facts["note"]


def test_nothing_to_measure_says_so() -> None:
    once = lines_of(np.array([0, 1]), np.array([0, 1]), np.array([3, 9]))
    with pytest.raises(Invalid, match="no shopper bought an item on two days"):
        what_is_rebought(once, 8, REBUYING)
    with pytest.raises(Invalid, match="no such pair is bought within 14 days"):
        what_is_rebought(lines_of(np.array([0, 0]), np.array([0, 0]), np.array([1, 5])), 9, REBUYING)
    with pytest.raises(Invalid, match="no pair is bought a third time"):
        when_it_is_rebought(once, 8, REBUYING)


def test_dates_are_asked_walking_forward() -> None:
    """Gaps 10, 10, 10, 30: told 10, 10, 10 (median before each); two of the three after the cut are right."""
    lines = lines_of(np.zeros(5, int), np.zeros(5, int), np.array([0, 10, 20, 30, 60]))
    measured = when_it_is_rebought(lines, 15, REBUYING)
    assert measured.facts == {"repeats": 3, "three_gaps": 1}
    assert measured.rows["personal median"] == {"within": pytest.approx(2 / 3), "three_gaps": 0}


def test_item_facts_survive_the_wire_in_order() -> None:
    facts = ItemFacts(buyers=1, rebuyers=2, gap_days=3, sold_14=4, sold_28=5, sold_84=6)
    assert astuple(facts) == (1, 2, 3, 4, 5, 6)


def test_of_too_many_lines_whole_shoppers_are_taken() -> None:
    part, every = pairs.sampled(LINES, len(LINES.day) // 3)
    assert every == 4
    assert set(part.shopper.tolist()) == set(range(0, 80, 4))
    assert len(part.day) == int((LINES.shopper % 4 == 0).sum())
    assert pairs.sampled(LINES, 10**9) == (LINES, 1)
    measured = what_is_rebought(LINES, 250, replace(REBUYING, max_lines=len(LINES.day) // 3))
    assert measured.facts["sample"] == "one shopper in 4"
