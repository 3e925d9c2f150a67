"""What is due by the fitted model of needs: its order and its gaps are shown, today counts, nothing fails without it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from tests.support.department_store import store
from tests.support.window import DAY, NOW, SHE, Window, days_ago, profile, settings

from regulars.needs.model import CURRENT_KEY, MODEL_KEY, NeedsModel, publish
from regulars.needs.reading import RebuyingReader
from regulars.needs.rebuying import PAIR_FEATURES, PRODUCTS, ItemFacts, Rebuying, expected_gap
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.repurchase import dues, seeds
from regulars.recommendations.service import MODEL_BROKEN

TODAY = NOW.date()
BOUGHT = {"tea-green": (60, 40, 20), "argan-shampoo": (124, 83, 41), "tea-black": (9, 2), "honey": 30}


def weighing(**weights: float) -> tuple[float, ...]:
    """Weights of the named features, nought for the others."""
    return tuple(weights.get(name, 0.0) for name in PAIR_FEATURES) + (0.0,) * len(PRODUCTS)


LATE = Rebuying(14, 0.0, weighing(age=1.0), {"honey": ItemFacts(gap_days=30.0, rebuyers=5.0)}, 25.0)
"""The longer ago, the likelier: the opposite of what the rule says."""


@dataclass
class Shop:
    """A window whose answers may know what was learned; `counts` are metrics."""

    window: Window = field(default_factory=store)
    counts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window.knows(profile(bought=BOUGHT))

    def learns(self, rebuying: Rebuying) -> None:
        publish(self.window.storage, NeedsModel("1", NOW, None, None, rebuying, (), {}))

    def ask(self, scene: str = "repurchase", limit: int = 6) -> Answer:
        read = RebuyingReader(self.window.storage, lambda: NOW, 300)
        recommend = replace(self.window.recommend, count=self.counts.append, read_rebuying=read)
        return recommend(Ask(scene=scene, shopper=SHE, limit=limit))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def due_of(answer: Answer) -> list[str]:
    return [placed.item.item_id for placed in answer.items if placed.reason.code == "due_again"]


def test_the_likeliest_comes_first(shop: Shop) -> None:
    assert due_of(shop.ask())[:2] == ["tea-green", "argan-shampoo"]
    shop.learns(LATE)
    answer = shop.ask()
    assert due_of(answer)[:2] == ["argan-shampoo", "tea-green"]
    assert answer.items[0].source == "needs"
    assert answer.items[1].reason.code == "companion_of"  # its row was read


def test_what_was_bought_once_follows_with_the_gap_of_those_who_rebuy_it(shop: Shop) -> None:
    assert "honey" not in due_of(shop.ask())  # no row tells its gap
    shop.learns(LATE)
    assert due_of(shop.ask()) == ["argan-shampoo", "tea-green", "honey"]


def test_the_gap_leans_on_what_was_learned_of_the_item() -> None:
    she = profile(bought={"soap": (22, 12)})
    learned = replace(LATE, items={"soap": ItemFacts(gap_days=40.0)})
    (due,) = dues(she, {}, settings().repurchase, TODAY, learned)
    assert (due.gap_days, due.due_in_days, due.is_due) == (30.0, 18.0, False)
    assert due.gap_days == expected_gap([0, 10], 40.0, 3)


def test_what_she_bought_today_is_not_due() -> None:
    bought = {"tea-green": (90, 60, 30, 0)}
    (due,) = dues(profile(bought=bought), {}, settings().repurchase, TODAY, LATE)
    assert (due.last, due.due_in_days, due.is_due) == (TODAY, 30.0, False)


def test_a_day_ahead_of_the_clock_is_left_out_of_what_is_learned_by() -> None:
    she = replace(profile(), purchases={"soap": (*days_ago((40, 20)), (NOW + 3 * DAY).date())})
    (due,) = dues(she, {}, settings().repurchase, TODAY, LATE)
    assert (due.purchases, due.is_due) == (2, True)


def test_the_rows_that_are_read_are_those_of_what_is_due() -> None:
    she = profile(bought={"fresh": (11, 1), "due": (60, 40, 20)})
    assert seeds(she, settings().repurchase, TODAY, 1, replace(LATE, weights=weighing(age=-1.0))) == ["due"]


def test_without_a_model_the_rule_stands_and_it_is_said(shop: Shop) -> None:
    assert due_of(shop.ask())[0] == "tea-green"
    assert any("no model of needs" in said for said in shop.window.warnings)
    assert shop.counts.count(MODEL_BROKEN) == 0


@pytest.mark.parametrize("damaged", [{MODEL_KEY.format(version="1"): b'{"version": 1}'}, {CURRENT_KEY: b"?"}])
def test_a_damaged_model_is_counted_and_the_rule_stands(shop: Shop, damaged: dict[str, bytes]) -> None:
    shop.learns(LATE)
    shop.window.storage.objects.update(damaged)
    assert due_of(shop.ask())[0] == "tea-green"
    assert shop.counts == [MODEL_BROKEN]


def test_other_scenes_do_not_read_it(shop: Shop) -> None:
    shop.learns(LATE)
    shop.window.storage.objects[CURRENT_KEY] = b"?"
    for scene in ("home", "cart", "return", "members", "trending"):
        shop.ask(scene)
    assert not shop.counts
