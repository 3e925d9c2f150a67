"""Sample-ratio check: enrolments counted once, the test against known values, alarms rare by chance and sure when broken."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.decisions import EVENING, message

from regulars.clock import to_ms
from regulars.decisions.holdout import ENROLLED, Enrolment
from regulars.decisions.model import State
from regulars.metrics.counts import CountKey
from regulars.metrics.ratios import mismatch_p, ratios
from regulars.metrics.report import build_report
from regulars.metrics.rolling import message_counts

DAY = date(2026, 6, 10)
SPRING = Enrolment("control/spring", "control", 0.1, "a/b")


def test_a_step_is_counted_when_it_is_new_and_only_then() -> None:
    step = (to_ms(EVENING), ENROLLED, SPRING.detail)
    first = replace(message(), state=State.DEFERRED, history=(step, (to_ms(EVENING), "DEFERRED", "x")))
    later = replace(first, state=State.PLANNED, history=(*first.history, (to_ms(EVENING), "PLANNED", "chosen")))
    field = SPRING.detail.rpartition("/control/spring")[0]
    key = CountKey(DAY, "arms/control/spring", field)
    assert field.startswith("control/0.1/")
    assert message_counts(None, first)[key] == 1
    assert message_counts(first, later)[key] == 0


@pytest.mark.parametrize(
    ("held", "treated", "share", "p"),
    [(100, 900, 0.1, 1.0), (130, 870, 0.1, 0.001565402258002549), (50, 50, 0.3, 1.2749674921097076e-05), (5, 95, 0.05, 1.0)],
)
def test_the_p_value_is_that_of_the_chi_squared_test(held: int, treated: int, share: float, p: float) -> None:
    """Reference: scipy.stats.chisquare([held, treated], expected)."""
    assert mismatch_p(held, treated, share) == pytest.approx(p, rel=1e-9)


def test_too_few_shoppers_tell_nothing() -> None:
    assert mismatch_p(0, 49, 0.1) is None
    assert mismatch_p(0, 50, 0.1) is not None


def test_chance_alarms_about_once_in_a_thousand_and_a_lost_tenth_always() -> None:
    dice = random.Random(11)
    sound = broken = 0
    for _ in range(2_000):
        held = sum(dice.random() < 0.2 for _ in range(400))
        p = mismatch_p(held, 400 - held, 0.2)
        sound += p is not None and p < 0.001
    for _ in range(50):
        held = round(dice.gauss(4_000, 56))
        p = mismatch_p(held - held // 10, 16_000, 0.2)
        broken += p is not None and p < 0.001
    assert sound <= 8
    assert broken == 50


def test_draws_are_judged_apart_and_the_report_says_so() -> None:
    counts = {
        CountKey(DAY, "arms/control/spring", "control/0.1/aa"): 100,
        CountKey(DAY, "arms/control/spring", "treated/0.1/aa"): 900,
        CountKey(DAY, "arms/control/spring", "control/0.5/aa"): 400,
        CountKey(DAY, "arms/control/spring", "treated/0.5/aa"): 600,
        CountKey(DAY, "arms/holdout", "holdout/0.05/bb"): 1,
        CountKey(DAY, "arms/holdout", "treated/0.05/bb"): 9,
    }
    report = build_report(
        counts,
        DAY,
        DAY + timedelta(days=1),
        goals=dict.fromkeys(_goals(), 0.0),
        ratio_alarm=0.001,
        made_at=datetime(2026, 6, 12, tzinfo=UTC),
        active_shoppers=0,
    )
    judged = {(ratio.experiment, ratio.share): (ratio.held, ratio.treated, ratio.mismatch) for ratio in report.arms}
    assert judged == {
        ("control/spring", 0.1): (100, 900, False),
        ("control/spring", 0.5): (400, 600, True),
        ("holdout", 0.05): (1, 9, False),
    }
    assert report.to_wire()["control_groups"][1] == {
        "experiment": "control/spring",
        "share": 0.5,
        "draw": "aa",
        "control": 400,
        "treated": 600,
        "p": pytest.approx(2.54e-10, rel=0.01),
        "mismatch": True,
    }
    for text in (report.text(), report.markdown()):
        assert "MISMATCH" in text
        assert "too few to tell" in text
    assert ratios({}, 0.001) == ()


def _goals() -> list[str]:
    from regulars.metrics.model import KPIS

    return [kpi.name for kpi in KPIS]
