"""What an order is worth: gamma-gamma finds its parameters, shrinks towards the shop, and gives way where it cannot tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.needs import random_purchases, settings

from regulars.errors import Invalid
from regulars.needs import spending
from regulars.needs.evaluation import order_values
from regulars.needs.purchases import purchases_of
from regulars.needs.worth import OrderValue

VALUE = settings().value


def simulated(p: float, q: float, gamma: float, shoppers: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(11)
    orders = draw.integers(1, 9, shoppers).astype(float)
    rate = draw.gamma(q, 1 / gamma, shoppers)
    return orders, draw.gamma(p * orders, 1 / (rate * orders))


def test_gamma_gamma_finds_the_shop_it_was_simulated_from() -> None:
    """Parameters of the CDNOW sample (Fader & Hardie 2013: p 6.25, q 3.74, γ 15.44): mean 35.2, counts as .44 orders."""
    found = spending.fit(*simulated(6.25, 3.74, 15.44, 6000), VALUE)
    assert found.model == "gamma-gamma"
    assert found.mean == pytest.approx(6.25 * 15.44 / 2.74, rel=0.05)
    assert found.counts_as == pytest.approx(2.74 / 6.25, rel=0.1)


def test_the_published_example() -> None:
    """E = p(γ + n·m) / (pn + q − 1) for n = 2, m = 28.13 (its table's shopper of two repeats)."""
    p, q, gamma = 6.25, 3.74, 15.44
    told = OrderValue(p * gamma / (q - 1), (q - 1) / p).expected(2, 28.13)
    assert told == pytest.approx(p * (gamma + 2 * 28.13) / (2 * p + q - 1))


def test_few_or_odd_shoppers_give_the_shrunk_mean() -> None:
    few = spending.fit(np.array([2.0, 3]), np.array([10.0, 40]), VALUE)
    assert few == OrderValue(28.0, VALUE.trusted_purchases)
    assert spending.fit(np.array([2.0]), np.array([0.0]), VALUE).expected(0, 0) == 0
    alike = spending.fit(np.full(200, 3.0), np.full(200, 10.0), VALUE)
    assert alike.expected(3, 10.0) == pytest.approx(10.0, rel=0.01)


def test_the_better_of_the_two_is_taken() -> None:
    orders, mean = simulated(6.25, 3.74, 15.44, 400)
    draw = np.random.default_rng(1)
    who = np.repeat(np.arange(400), orders.astype(int) + 3)
    made = purchases_of(who, draw.integers(0, 300, len(who)), np.repeat(mean, orders.astype(int) + 3))
    assert spending.learn(made, 290, VALUE, 90).model == "gamma-gamma"
    assert spending.learn(made, 290, replace(VALUE, min_repeaters=10**6), 90).model == "shrunk mean"
    assert spending.learn(made, 60, VALUE, 90).model == "shrunk mean"


def test_values_are_measured_only_where_there_are_any() -> None:
    purchases = random_purchases(shoppers=150, days=300, seed=5)
    measured = order_values(purchases, 200, settings(), 90)
    assert measured.rows["chosen"]["order_error"] <= measured.rows["own mean"]["order_error"]
    assert 0.5 < measured.rows["chosen"]["spend_total"] < 2
    with pytest.raises(Invalid, match="no column `value`"):
        order_values(replace(purchases, value=purchases.value * 0), 200, settings(), 90)
