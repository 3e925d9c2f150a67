"""When something is due again."""

from __future__ import annotations

import pytest
from tests.support.window import NOW, days_ago, profile, settings

from regulars.recommendations.ports import Row
from regulars.recommendations.repurchase import dues, gap_days

TODAY = NOW.date()


@pytest.mark.parametrize(
    ("ages", "item_gap", "expected"),
    [
        ((40, 30, 20, 10), 99.0, 10.0),  # three gaps: her own
        ((30, 10), 50.0, (1 * 20 + 2 * 50) / 3),  # one gap: one third hers
        ((50, 30, 10), 50.0, (2 * 20 + 1 * 50) / 3),
        ((30, 10), None, (1 * 20 + 2 * 30) / 3),  # nobody known to rebuy: the default of thirty days
        ((10,), 50.0, 50.0),
        ((10,), None, None),
    ],
)
def test_the_gap_is_hers_shrunk_to_the_items(ages: tuple[int, ...], item_gap: float | None, expected: float | None) -> None:
    assert gap_days(days_ago(ages), item_gap, 30.0) == (pytest.approx(expected) if expected else None)


def test_ranking_follows_frequency_and_freshness() -> None:
    she = profile(bought={"often": (90, 60, 30), "once-a-year": (700, 335), "dropped": (500, 470, 440)})
    found = dues(she, {}, settings().repurchase, TODAY)
    assert found[0].item_id == "often"
    assert [due.item_id for due in found if due.is_due] == ["often", "once-a-year"]
    assert next(due for due in found if due.item_id == "often").due_in_days == pytest.approx(0.0)


def test_the_rule_is_the_published_one() -> None:
    she = profile(bought={"soap": (100, 40)})
    (due,) = dues(she, {"soap": Row({}, 60.0)}, settings().repurchase, TODAY)
    assert due.gap_days == pytest.approx(60.0)
    assert due.score == pytest.approx(2.3 / 160 * 2.718281828459045 ** (-40 / 210))
