"""Demand ahead: weekdays, closed days, levels; never worse than naive where it was judged; nothing of the window is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.needs import settings

from regulars.errors import Invalid
from regulars.needs import choosing, demand
from regulars.needs.demand import Series
from regulars.needs.evaluation_demand import demand_ahead

DEMAND = settings().demand
WEEKDAYS = np.array([10.0, 12, 14, 16, 20, 30, 0])


def weekly(weeks: int = 20, scale: float = 1.0) -> np.ndarray:
    return np.tile(WEEKDAYS, weeks)[None, :] * scale


def test_a_steady_week_is_foretold_by_every_method_closed_day_and_all() -> None:
    series = Series(("a",), 1000, weekly())
    today = 1000 + 15 * 7 + 2
    came = demand.actual(series, today, DEMAND)
    assert came.tolist() == [[WEEKDAYS[(today - 1000 - 1 + ahead) % 7] for ahead in range(3, 8)]]
    for name, told in demand.forecasts(series, today, DEMAND).items():
        assert told == pytest.approx(came, rel=1e-6), name


def test_levels_follow_a_jump_and_the_baseline_does_after_a_week() -> None:
    counts = weekly()
    counts[0, 12 * 7 :] *= 2
    told = demand.forecasts(Series(("a",), 0, counts), 14 * 7, DEMAND)
    came = demand.actual(Series(("a",), 0, counts), 14 * 7, DEMAND)
    assert told["naive"] == pytest.approx(came)
    assert told["level_60"].sum() < told["level_21"].sum() < told["level_4"].sum() < came.sum()


def test_the_window_itself_is_not_known() -> None:
    counts = np.random.default_rng(1).poisson(20, (3, 140)).astype(float)
    today = 100
    changed = counts.copy()
    changed[:, today:] = 999
    one, other = (demand.forecasts(Series(("a", "b", "c"), 0, each), today, DEMAND) for each in (counts, changed))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    chosen = [choosing.choose(Series(("a", "b", "c"), 0, each), today, DEMAND) for each in (counts, changed)]
    assert chosen[0].methods == chosen[1].methods


def test_a_series_never_takes_what_was_worse_than_naive() -> None:
    draw = np.random.default_rng(4)
    counts = np.vstack(
        [draw.poisson(weekly(30)[0]), draw.poisson(np.where(np.arange(210) < 160, 5, 60)), draw.poisson(4, 210)]
    ).astype(float)
    chosen = choosing.choose(Series(("a", "b", "c"), 0, counts), 200, DEMAND)
    assert (chosen.error <= chosen.naive_error + 1e-12).all()
    assert chosen.methods[0] != "naive"
    assert chosen.stable[0]
    assert not chosen.stable[1]


def test_last_year_tells_of_the_season() -> None:
    """Both Decembers double: only `yearly` rises before this one's first week is seen."""
    day = np.arange(364 + 330)
    season = np.where((day % 364) >= 320, 2.0, 1.0)
    series = Series(("a",), 0, np.tile(WEEKDAYS, 120)[None, : len(day)] * season)
    today = 364 + 319
    told = demand.forecasts(series, today, replace(DEMAND, last_day=7))
    assert told["yearly"].sum() > 1.2 * told["level_21"].sum()


def test_short_history_stays_naive() -> None:
    chosen = choosing.choose(Series(("a",), 0, weekly(5)), 30, DEMAND)
    assert chosen.methods == ("naive",)
    assert np.isnan(chosen.error).all()


def test_series_are_distinct_shoppers_a_day_and_only_of_what_sells() -> None:
    category = np.array([0, 0, 0, 1] + [2] * 56)
    shopper = np.array([1, 1, 2, 1] + [5] * 56)
    day = np.array([9, 9, 9, 9, *range(56)])
    made = demand.series_of(("tea", "rare", "milk"), category, shopper, day, DEMAND, 56)
    assert made.names == ("milk",)
    assert made.counts.sum() == 56
    assert demand.until(made, 60).counts.shape == (1, 60)
    loose = demand.series_of(("tea", "rare", "milk"), category, shopper, day, replace(DEMAND, min_daily=0.01), 56)
    assert loose.names == ("milk", "tea", "rare")
    assert loose.counts[1].sum() == 2
    assert demand.series_of((), np.array([], int), np.array([], int), np.array([], int), DEMAND, 56).names == ()


def test_accuracy_is_measured_and_its_absence_explained() -> None:
    counts = np.random.default_rng(2).poisson(np.vstack([weekly(40)[0], weekly(40)[0] * 2])).astype(float)
    measured = demand_ahead(Series(("a", "b"), 0, counts), 200, settings())
    assert measured.rows["naive"]["of_naive"] == 1
    assert measured.rows["published"]["of_naive"] < 1
    assert 0.8 < measured.rows["published"]["stable"] < 1
    assert np.isnan(measured.rows["published"]["dynamic"])
    for broken, why in (
        (Series((), 0, np.zeros((0, 0))), "no series has 1 purchases a day"),
        (Series(("a",), 180, counts[:1]), "20 days before the cut"),
        (Series(("a",), 0, counts[:1, :202]), "fewer than 7 days follow"),
    ):
        with pytest.raises(Invalid, match=why):
            demand_ahead(broken, 200, settings())
