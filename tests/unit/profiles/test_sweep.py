"""RFM, tiers, the stage machine, and the daily sweep with its win-back moments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.shoppers import DAY, HOUR, NOON, SHE, Shop, config, event, order, rules, unit

from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import TryLater
from regulars.messages import Moment
from regulars.profiles.config import Bounds, Tiers
from regulars.profiles.lifecycle import RULES, Situation, decide
from regulars.profiles.model import LIFECYCLE_STAGES, Order
from regulars.profiles.record import Record
from regulars.profiles.rfm import Bought, TierLines, bought, lines
from regulars.profiles.sweep import SweepLifecycle


@pytest.mark.parametrize(
    ("days", "orders", "cents", "letters"),
    [
        (0, 11, 100_001, "HHH"),
        (7, 10, 100_000, "HMM"),
        (7.1, 3, 30_000, "MMM"),
        (30, 2, 29_999, "MLL"),
        (31, 1, 0, "LLL"),
        (300, 50, 10**9, "LHH"),
    ],
)
def test_rfm_lines(days: float, orders: int, cents: int, letters: str) -> None:
    assert lines(config().rfm, ()).letters(Bought(days, orders, cents)) == letters


def test_rfm_by_quantiles_cuts_this_shops_buyers() -> None:
    everybody = [Bought(float(n), 11 - n, n * 100) for n in range(1, 11)]
    cut = lines(replace(config().rfm, mode="quantiles", quantiles=Bounds(0.8, 0.5)), everybody)
    assert [cut.letters(entry)[0] for entry in everybody] == ["H"] * 3 + ["M"] * 3 + ["L"] * 4
    assert [cut.letters(entry)[2] for entry in everybody] == ["L"] * 4 + ["M"] * 3 + ["H"] * 3
    assert cut.letters(None) == ""


def test_only_orders_of_the_window_count() -> None:
    orders = [Order(f"o{n}", NOON - n * 100 * DAY, 100) for n in (5, 3, 1)]
    assert bought(orders, NOON, 365) == Bought(100.0, 2, 200)
    assert bought(orders[:1], NOON, 365) is None


def test_the_high_tier_is_the_fewest_who_bring_eighty_percent() -> None:
    spent = [500, 300, 100, 50, 50, 0]
    tiers = TierLines(Tiers(365, 0.8, 0.95), spent)
    assert [tiers.tier(cents) for cents in spent] == ["high", "high", "mid", "mid", "mid", "low"]
    assert TierLines(Tiers(365, 0.8, 0.95), []).tier(0) == "low"


def situation(stage: str = "active", *, quiet: float = 0, first: float = 500, orders: int = 1, since: float = 1) -> Situation:
    return Situation(stage, since, first, quiet, orders, orders)


@pytest.mark.parametrize(
    ("where", "stage"),
    [
        (situation("new", first=1), "new"),
        (situation("new", first=30), "active"),
        (situation("new", first=1, orders=2), "active"),
        (situation("active", orders=3), "loyal"),
        (situation("loyal", orders=3, quiet=59.9), "loyal"),
        (situation("loyal", orders=3, quiet=60), "churn-risk"),
        (situation("churn-risk", orders=3), "loyal"),
        (situation("churn-risk", quiet=120), "dormant"),
        (situation("dormant", quiet=365), "lost"),
        (situation("dormant"), "won-back"),
        (situation("lost", orders=9), "won-back"),
        (situation("won-back", since=29), "won-back"),
        (situation("won-back", since=30), "active"),
        (situation("won-back", quiet=60), "churn-risk"),
    ],
)
def test_stages(where: Situation, stage: str) -> None:
    assert decide(where, config().lifecycle).stage == stage


def test_every_stage_can_be_reached_and_has_a_reason() -> None:
    assert {rule.stage for rule in RULES} == set(LIFECYCLE_STAGES)
    assert all(rule.reason for rule in RULES)


@dataclass
class Sweeping:
    """A shop whose sweep runs on its clock."""

    shop: Shop = field(default_factory=Shop)
    moments: MemoryQueue = field(default_factory=MemoryQueue)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    reported: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def run(self, at: datetime) -> dict[str, Any]:
        self.shop.now = at
        sweep = SweepLifecycle(
            profiles=self.shop.profiles,
            moments=self.moments,
            storage=self.storage,
            config=config(),
            rules=rules(),
            clock=lambda: at,
            report=lambda name, facts: self.reported.append((name, dict(facts))),
        )
        return dict(sweep())

    def sent(self) -> list[Moment]:
        """The moments of winning back."""
        told = [message for message, _ in self.moments.sent if isinstance(message, Moment)]
        return [moment for moment in told if moment.kind.startswith("winback")]


def buyers(sweeping: Sweeping, totals: Sequence[float]) -> None:
    for number, total in enumerate(totals):
        shopper = f"user:{number}"
        properties = {"product_id": "mug", "category": "Mugs"}
        deeds = [event(shopper=shopper, properties=properties), order(f"o{number}", NOON + HOUR, total, shopper=shopper)]
        sweeping.shop.capture(unit(deeds))


def test_a_silence_is_answered_once_a_step_from_high_value_to_dormant() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800, 100, 50, 50])
    seen = []
    for day in range(1, 400):
        sweeping.run(NOON + day * DAY)
        seen += [(day, moment.shopper, moment.kind) for moment in sweeping.sent()]
        sweeping.moments.sent.clear()
    hers = [(day, kind) for day, shopper, kind in seen if shopper == "user:0"]
    assert hers == [(31, "winback_high_value"), (61, "winback_churn_risk"), (121, "winback_dormant")]
    others = [(day, kind) for day, shopper, kind in seen if shopper == "user:1"]
    assert others == [(61, "winback_churn_risk"), (121, "winback_dormant")]
    assert sweeping.shop.profile("user:0").stage == "lost"


def test_a_moment_says_since_when_what_stage_and_what_she_likes() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800])
    sweeping.run(NOON + 61 * DAY)
    (moment,) = sweeping.sent()
    assert (moment.id, moment.subject) == ("winback_churn_risk#2026-03-02", "2026-03-02")
    assert moment.facts == {"stage": "churn-risk", "category": "home-mugs"} or moment.facts["category"] == "mugs"
    assert moment.expires_at_ms - moment.due_at_ms == 7 * 24 * 3600 * 1000


def test_a_new_order_opens_a_new_silence() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800])
    sweeping.run(NOON + 31 * DAY)
    sweeping.shop.capture(unit([order("again", NOON + 32 * DAY, 500, shopper="user:0")]))
    sweeping.run(NOON + 33 * DAY)
    sweeping.run(NOON + 63 * DAY)
    assert [moment.subject for moment in sweeping.sent()] == ["2026-03-02", "2026-04-03"]


def test_a_queue_that_fails_leaves_the_change_to_the_next_run() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800])
    sweeping.moments.failing = TryLater("full")
    with pytest.raises(TryLater):
        sweeping.run(NOON + 61 * DAY)
    sweeping.moments.failing = None
    sweeping.run(NOON + 61 * DAY + HOUR)
    assert [moment.kind for moment in sweeping.sent()] == ["winback_churn_risk"]


def test_returning_from_dormant_is_won_back_for_a_month() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [10])
    stages = []
    for day, comes in ((130, True), (131, False), (150, False), (165, True), (166, False)):
        sweeping.run(NOON + day * DAY)
        stages.append(sweeping.shop.profile("user:0").stage)
        if comes:
            sweeping.shop.capture(unit([event(at=NOON + day * DAY + HOUR, shopper="user:0")]))
    assert stages == ["dormant", "won-back", "won-back", "active", "active"]
    changes = [
        line for key in sweeping.storage.list("profiles/changes/") for line in (sweeping.storage.get(key) or b"").splitlines()
    ]
    told = [(json.loads(line)["from"], json.loads(line)["to"], json.loads(line)["reason"]) for line in changes]
    assert told == [
        ("new", "dormant", "quiet_for_dormant_days"),
        ("dormant", "won-back", "returned"),
        ("won-back", "active", "seen_lately"),
    ]
    assert [name for name, _ in sweeping.reported] == ["lifecycle_changed"] * 3
    assert all("user:0" not in repr(facts) for _, facts in sweeping.reported)


def test_a_second_run_of_the_day_writes_and_emits_nothing() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800, 20, 30])
    sweeping.run(NOON + 61 * DAY)
    versions = {shopper: record.version for shopper, record in sweeping.shop.profiles.records.items()}  # type: ignore[attr-defined]
    sent = len(sweeping.sent())
    assert sweeping.run(NOON + 61 * DAY + HOUR)["changed"] == 0
    assert {s: r.version for s, r in sweeping.shop.profiles.records.items()} == versions  # type: ignore[attr-defined]
    assert len(sweeping.sent()) == sent


def test_who_acts_during_the_sweep_is_judged_tomorrow() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [10])
    real, calls = sweeping.shop.profiles.load, []

    def load(shopper: str) -> Record:
        calls.append(shopper)
        if len(calls) == 2:  # the first is the scan's
            sweeping.shop.capture(unit([event(at=NOON + 61 * DAY, shopper="user:0")]))
        return real(shopper)

    sweeping.shop.profiles.load = load  # type: ignore[method-assign]
    sweeping.run(NOON + 61 * DAY)
    assert sweeping.shop.profile("user:0").stage == "new"
    sweeping.run(NOON + 62 * DAY)
    assert sweeping.shop.profile("user:0").stage == "active"


def test_the_summary_counts_stages_tiers_and_coverage() -> None:
    sweeping = Sweeping()
    buyers(sweeping, [800, 100, 50, 50])
    sweeping.shop.capture(unit([event("Signed In", shopper="user:bare")]))
    summary = sweeping.run(NOON + DAY)
    assert summary["shoppers"] == 5
    assert summary["tiers"] == {"high": 1, "mid": 3, "low": 1}
    assert summary["tag_coverage"] == 0.8
    assert json.loads(sweeping.storage.get("profiles/sweep/day=2026-03-03.json") or b"") == summary


def test_the_calendar_changes_rule_tags_without_a_deed() -> None:
    gift = {"product_id": "box", "name": "gift box"}
    at = datetime(2026, 12, 20, 12, tzinfo=NOON.tzinfo)
    sweeping = Sweeping()
    sweeping.shop.capture(unit([event("Product Added", at=at, properties=gift)]))
    assert "christmas-gifting" in sweeping.shop.profile(SHE, at).rule_tags
    sweeping.run(at + timedelta(days=7))
    assert "christmas-gifting" not in sweeping.shop.profile(SHE, at).rule_tags
