"""MBG/NBD: published parameters, quadrature as a second opinion, one shopper and many alike, and the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from regulars.needs import mbg
from regulars.needs.expecting import Mbg, hyp2f1

CDNOW = Mbg(0.525, 6.183, 0.891, 1.614)
"""Weeks; as fitted to the CDNOW sample by BTYDplus and lifetimes (their tests hold these figures)."""


def simulated(model: Mbg, shoppers: int, days: float, seed: int) -> np.ndarray:
    """(repeats, recency, span) drawn from the model itself."""
    draw = np.random.default_rng(seed)
    rows = []
    for _ in range(shoppers):
        rate, drop = draw.gamma(model.r, 1 / model.alpha), draw.beta(model.a, model.b)
        span, now, repeats, last = draw.uniform(days / 2, days), 0.0, 0, 0.0
        while draw.random() >= drop:
            now += draw.exponential(1 / rate)
            if now > span:
                break
            repeats, last = repeats + 1, now
        rows.append((repeats, last, span))
    return np.array(rows)


def quadrature(model: Mbg, repeats: float, recency: float, span: float, horizon: float) -> float:
    """E[(1 − E_λ e^(−λph)) / p] over p ~ Beta(a, b+x+1), which is the definition: no hypergeometric function in it.
    p = v^(1/a) takes the pole of the density at 0 away."""
    a, b = model.a, model.b + repeats + 1
    v = (np.arange(400_000) + 0.5) / 400_000
    p = v ** (1 / a)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    density = np.exp((b - 1) * np.log1p(-p) - log_beta) / a
    goes = -np.expm1((model.r + repeats) * np.log1p(-p * horizon / (model.alpha + span + p * horizon)))
    return float(np.mean(density * goes / p)) * model.alive(repeats, recency, span)


@pytest.mark.parametrize(
    ("model", "history", "horizon"),
    [
        (CDNOW, (2.0, 30.43, 38.86), 39.0),
        (CDNOW, (0.0, 0.0, 38.86), 39.0),
        (Mbg(0.711, 66.03, 0.229, 3.683), (40.0, 600.0, 640.0), 90.0),
        (Mbg(5.0, 20.0, 1.0, 2.0), (3.0, 50.0, 60.0), 30.0),  # a = 1, and r above a + b
        (Mbg(1.4, 9.6, 0.4, 32.6), (120.0, 270.0, 273.0), 365.0),
    ],
)
def test_expected_purchases_agree_with_quadrature(model: Mbg, history: tuple[float, float, float], horizon: float) -> None:
    told = model.expected(*history, horizon)
    assert told == pytest.approx(quadrature(model, *history, horizon), rel=1e-4)
    x, recency, span = (np.array([value, value]) for value in history)
    many = mbg.expected(model, x, recency, span, horizon)
    assert many == pytest.approx([told, told], rel=1e-9)
    alive = mbg.alive(model, *(np.array([value]) for value in history))
    assert alive == pytest.approx([model.alive(*history)])


def test_published_expectation() -> None:
    """A CDNOW customer of 2 repeats, the last in week 30.43 of 38.86: BG/NBD says 1.226 (Fader, Hardie & Lee 2005, p. 279)
    for the next 39 weeks; the variant with drop-out at time nought says a little more of one who did not."""
    assert CDNOW.expected(2, 30.43, 38.86, 39) == pytest.approx(1.263, abs=0.001)


def test_the_fit_finds_the_parameters_it_was_simulated_with() -> None:
    true = Mbg(0.8, 30.0, 0.6, 2.5)
    rows = simulated(true, 8000, 400, seed=7)
    found = mbg.fit(rows[:, 0], rows[:, 1], rows[:, 2], most=100_000)
    assert found.r == pytest.approx(true.r, rel=0.15)
    assert found.alpha == pytest.approx(true.alpha, rel=0.2)
    assert found.a / (found.a + found.b) == pytest.approx(true.a / (true.a + true.b), rel=0.1)


def test_the_slope_of_the_likelihood_is_that_of_its_value() -> None:
    rows = simulated(CDNOW, 200, 40, seed=1)
    weight = np.full(200, 1 / 200)
    likelihood = mbg._Likelihood(rows[:, 0].astype(np.int64), rows[:, 1], rows[:, 2], weight, 0.01)
    at = np.log([0.7, 5.0, 0.6, 1.5])
    _, slope = likelihood(at)
    moved = [(likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-5 for step in np.eye(4) * 1e-5]
    assert slope == pytest.approx(moved, rel=1e-5, abs=1e-8)


def test_nobody_drops_out_and_nobody_returns() -> None:
    """Degenerate shops stay finite: the weak prior holds the parameters."""
    steady = mbg.fit(np.full(50, 20.0), np.full(50, 195.0), np.full(50, 200.0), most=1000)
    assert 7 < steady.expected(20, 195, 200, 90) < 11
    once = mbg.fit(np.zeros(50), np.zeros(50), np.linspace(10, 200, 50), most=1000)
    assert 0 <= once.expected(0, 0, 100, 90) < 0.3
    assert mbg.fit(np.array([1.0]), np.array([5.0]), np.array([9.0]), most=10).expected(1, 5, 9, 30) > 0
    assert CDNOW.expected(1, 1, 2, 0) == 0


def test_a_sample_of_histories_fits_alike() -> None:
    rows = simulated(CDNOW, 4000, 40, seed=5)
    whole = mbg.fit(*rows.T, most=100_000)
    part = mbg.fit(*rows.T, most=1500)
    assert part.expected(2, 20, 30, 30) == pytest.approx(whole.expected(2, 20, 30, 30), rel=0.1)


def test_hypergeometric_series() -> None:
    assert hyp2f1(1, 1, 2, 0.5) == pytest.approx(2 * math.log(2))
    assert hyp2f1(0.5, 3, 3, 0.75) == pytest.approx(2.0)
