"""Coupons under a rush: exactly as many as there are, one a shopper, none stranded, no item written to too often.

CI runs the short, seeded form; REGULARS_SIMULATE=long the published one.
"""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from tests.simulation import figures
from tests.simulation.coupons import Plan, Sale

from regulars.offers.config import Offer
from regulars.offers.model import Take
from regulars.offers.stock import Stock

LONG = os.environ.get("REGULARS_SIMULATE") == "long"
PLAN = Plan(claims=1_000_000, stock=100_000) if LONG else Plan(claims=12_000, stock=1_200)
CEILING = 400
"""Transactional writes of one item in one second (DynamoDB: 500)."""


def test_exactly_the_stock_one_a_shopper_and_none_stranded() -> None:
    sale = Sale(PLAN)
    told = sale.run()
    holders = [coupon.shopper for coupon in sale.coupons]
    assert len(holders) == sale.taken == PLAN.stock
    assert len(set(holders)) == len(holders)
    assert all(len(codes) == 1 for codes in told.codes.values())
    assert set(told.codes) <= set(holders)
    assert told.crashes > PLAN.claims * PLAN.faults / 10
    assert told.refusals["sold_out"] > PLAN.claims / 2
    assert told.busiest <= CEILING
    states = sale.afterwards()
    assert sum(states.values()) == PLAN.stock
    assert states["ISSUED"] == 0
    assert sale.taken == states["REDEEMED"] > 0
    assert sale.sweep_until_done() == 0
    figures.tell(
        "coupons",
        says="claims by workers at once, 20 % of them repeats: never oversold, one a shopper, none stranded",
        claims=PLAN.claims,
        workers=PLAN.workers,
        stock=PLAN.stock,
        issued=len(holders),
        twice=len(holders) - len(set(holders)),
        stranded=sale.taken - states["REDEEMED"],
        busiest_item_writes_a_second=told.busiest,
        writes_in_vain=told.vain,
        crashes=told.crashes,
    )


@pytest.mark.parametrize(("workers", "stock"), [(64, 1), (64, 100), (200, 100), (1, 4_000), (64, 4_000), (200, 4_000)])
def test_no_item_is_written_to_more_often_than_it_bears(workers: int, stock: int) -> None:
    """From the first claim to long after the last piece, at 10,000 claims a second."""
    sale = Sale(Plan(claims=8_000, stock=stock, workers=workers, faults=0.0))
    told = sale.run()
    assert sale.taken == stock
    assert told.busiest <= CEILING
    # Each worker learns of each shard once a look, not once a claim.
    assert told.vain <= workers * min(stock, 100) * 2


class Hammering(Stock):
    """Learns nothing: each claim asks the shopper's shard, full or not."""

    def choose(self, name: str, offer: Offer, edition: str, shopper: str, now: datetime, attempt: int = 0) -> Take | None:
        self._views.clear()
        return super().choose(name, offer, edition, shopper, now, 0)


def test_a_worker_that_learns_nothing_is_found_out() -> None:
    sale = Sale(Plan(claims=2_000, stock=4, faults=0.0, comes_again=0), lambda store, config: Hammering(store, config.sharding))
    told = sale.run()
    assert told.vain > 2_000
    assert told.busiest > CEILING


class OneShard(Stock):
    """As if there were one item for all."""

    def shards(self, pool: str, offer: Offer, pieces: int) -> int:
        return self._store.split(pool, 1)


def test_one_item_for_all_is_found_out() -> None:
    sale = Sale(Plan(claims=3_000, stock=2_000, faults=0.0), lambda store, config: OneShard(store, config.sharding))
    assert sale.run().busiest > CEILING


def test_pieces_that_came_back_are_claimed_again() -> None:
    sale = Sale(Plan(claims=3_000, stock=100, faults=0.0))
    sale.run()
    for coupon in sale.coupons[:40]:
        sale.memory.forget(coupon.shopper)
    assert sale.taken == 60
    sale.come([f"user:late{n}" for n in range(200)])
    sale.run()
    assert sale.taken == 100
