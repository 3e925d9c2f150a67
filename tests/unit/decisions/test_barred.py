"""What closes a channel to a message: a provider that refused it, a pause, a budget; and offers that are over or used up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.decisions import DAY, EVENING, HOUR, SHE, Desk, message, moment, numbers

from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.offers import MemoryOffers
from regulars.decisions import budgets
from regulars.decisions.config import Decisions, Kind
from regulars.decisions.limits import Budget
from regulars.decisions.model import Message, State
from regulars.errors import Conflict, Invalid
from regulars.offers.config import OfferSettings
from regulars.offers.model import Reservation
from regulars.sections import check
from regulars.shop import section

UNTIL = EVENING + 5 * HOUR


def offers(**offer: Any) -> OfferSettings:
    given = {
        "kind": "percent",
        "percent": 10,
        "days": 3,
        "cost_cents": 200,
        "currency": "GBP",
        "text": {"en": "Ten off."},
        **offer,
    }
    return section(OfferSettings, "offers", {"offers": {"offers": {"ten": given}}})


def shop(kind: str = "birthday", **changes: Any) -> Desk:
    """A desk whose birthdays bring the offer `ten`."""
    kinds = {**numbers().kinds, kind: replace(numbers().kinds[kind], offer="ten")}
    made = changes.pop("offers", offers())
    desk = Desk(kinds=kinds, **{name: value for name, value in changes.items() if name not in ("pools", "sold_out", "paused")})
    known = {name: changes[name] for name in ("pools", "sold_out", "paused") if name in changes}
    desk.decide = replace(desk.decide, offers=made, **known)
    return desk


def test_a_paused_channel_is_passed_over_for_marketing_only() -> None:
    desk = Desk()
    desk.reachable(push="token")
    desk.decide = replace(desk.decide, paused=lambda: {"push": "bounces"})
    entry = desk.decide(moment())
    assert (entry.channel, "push: channel_paused" in entry.history[-1][2]) == ("email", True)
    desk.decide = replace(desk.decide, paused=lambda: dict.fromkeys(("push", "email"), "complaints"))
    assert desk.verdict(moment(subject="c2")) == ("WITHHELD", "channel_paused")
    assert desk.verdict(moment("order_update", facts={}))[0] == "PLANNED"


@pytest.mark.parametrize("kind", ["cart_abandoned", "order_update"])
def test_a_provider_that_refused_a_message_is_not_asked_again(kind: str) -> None:
    desk = Desk()
    desk.reachable(push="token")
    asked = moment(kind)
    first = desk.decide(asked)
    assert desk.ledger.record(replace(first, subject="other", moment_id="other")) is not None
    refused = replace(first, state=State.DEFERRED, tried=(first.channel,), moment_id=f"{kind}#c9", subject="c9")
    desk.ledger = MemoryLedger(desk.contacts, desk.suppressions)
    assert desk.ledger.record(refused)
    desk.decide = replace(desk.decide, ledger=desk.ledger)
    entry = desk.decide(replace(asked, id=f"{kind}#c9", subject="c9", deferrals=1))
    assert (entry.state, entry.tried) == (State.PLANNED, (first.channel,))
    assert entry.channel != first.channel
    assert desk.ledger.close(SHE, entry.moment_id, state=State.LAPSED, reason="expired", now=EVENING)
    everything = replace(refused, tried=("push", "email", "inapp", "sms"), moment_id=f"{kind}#c8", subject="c8")
    assert desk.ledger.record(everything)
    desk.contacts.update(SHE, now=EVENING, consent={"inapp": True, "sms": True}, addresses={"sms": "+447700900123"})
    assert desk.decide(replace(asked, id=f"{kind}#c8", subject="c8")).reason == "provider_refused"


def test_an_offer_is_told_in_its_own_words_and_bounds_the_message() -> None:
    desk = shop(offers=offers(until=UNTIL.isoformat()))
    entry = desk.decide(moment("birthday", facts={}))
    assert entry.content["offer"] == {"name": "ten", "text": "Ten off."}
    assert entry.content["coupon_cents"] == 200
    assert entry.expires_at == UNTIL - HOUR  # least_hours: an offer that ends sooner is not issued any more
    desk.now = entry.expires_at
    assert desk.verdict(moment("birthday", "b2", at=desk.now, facts={})) == ("WITHHELD", "offer_closed")


def test_an_offer_that_has_not_begun_or_does_not_exist_is_not_promised() -> None:
    early = shop(offers=offers(starts=(EVENING + DAY).isoformat()))
    assert early.verdict(moment("birthday", facts={})) == ("WITHHELD", "offer_closed")
    gone = Desk(kinds={**numbers().kinds, "birthday": Kind(priority=5, topic="benefits", offer="gone")})
    assert gone.verdict(moment("birthday", facts={})) == ("WITHHELD", "offer_closed")
    with pytest.raises(Invalid, match=r"decisions\.kinds\.birthday\.offer: no offer 'gone'"):
        check({"decisions": {"kinds": {"birthday": {"offer": "gone"}}}})


def test_what_is_sold_out_is_not_promised() -> None:
    desk = shop(sold_out=lambda offer: offer == "ten")
    assert desk.verdict(moment("birthday", facts={})) == ("WITHHELD", "sold_out")
    assert desk.verdict(moment())[0] == "PLANNED"


@given(hours=st.floats(0.1, 200), backlog=st.floats(0, 72))
def test_no_deferral_outlives_the_offer(hours: float, backlog: float) -> None:
    ends = EVENING + timedelta(hours=hours)
    desk = shop(offers=offers(until=ends.isoformat()))
    desk.now = EVENING + timedelta(hours=backlog)
    entry = desk.decide(moment("birthday", at=desk.now, expires_at=desk.now + 9 * DAY, facts={}))
    if entry.state in (State.PLANNED, State.DEFERRED):
        assert entry.expires_at <= ends - HOUR
        assert desk.now < entry.expires_at
    if entry.not_before:
        assert entry.not_before < ends - HOUR


class Spent:
    """`regulars.decisions.ports.Pools` with this much taken of the first shard of every pool."""

    def __init__(self, micro_cents: int) -> None:
        self.micro_cents, self.asked = micro_cents, list[str]()

    def taken(self, pool: str, shards: int) -> Sequence[int]:
        self.asked.append(pool)
        return [self.micro_cents, *[0] * (shards - 1)]


def texts(limit_cents: int = 9, per: str = "month", shards: int = 1, campaigns: tuple[str, ...] = ()) -> Decisions:
    budget = Budget(limit_cents=limit_cents, per=per, campaigns=campaigns, shards=shards)
    return replace(numbers(), budgets={"texts": budget})


def text(n: int, campaign: str = "") -> Message:
    return message(subject=f"c{n}", channel="sms", address="+447700900123", campaign=campaign)


def test_a_budget_that_cannot_pay_for_a_channel_leaves_the_cheaper_ones() -> None:
    desk = Desk(budgets=texts().budgets)
    desk.contacts.update(SHE, now=EVENING, addresses={"email": None, "sms": "+447700900123"}, consent={"sms": True})
    desk.decide = replace(desk.decide, pools=Spent(7_000_000))
    assert desk.verdict(moment()) == ("WITHHELD", "over_budget")
    desk.reachable(push="token")
    entry = desk.decide(moment(subject="c2"))
    assert (entry.channel, "sms: over_budget" in entry.history[-1][2]) == ("push", True)
    assert desk.verdict(moment("order_update", facts={}))[0] == "PLANNED"


def test_pools_are_named_by_period_on_the_shops_clock_and_by_campaign() -> None:
    midnight = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # 1 July in London

    def pool(per: str, campaign: str = "") -> str:
        (take,) = budgets.spends_of(text(1, campaign), texts(per=per), midnight)
        return take.pool

    assert pool("day") == "budget#texts#2026-07-01"
    assert pool("month") == "budget#texts#2026-07"
    assert pool("campaign", "spring") == "budget#texts#campaign#spring"
    assert pool("campaign") == "budget#texts#campaign#cart_abandoned"
    assert budgets.spends_of(text(1), texts(campaigns=("spring",)), midnight) == ()
    assert budgets.spends_of(text(1, "spring"), texts(campaigns=("spring",)), midnight) != ()
    assert budgets.spends_of(replace(text(1), kind="order_update"), texts(), midnight) == ()
    assert budgets.spends_of(replace(text(1), channel="inapp"), texts(), midnight) == ()


def test_a_message_costs_its_channel_and_what_its_coupon_will_cost() -> None:
    (take,) = budgets.spends_of(text(1), texts(), EVENING)
    assert take.amount == 3_000_000
    brings = replace(text(1), content={"coupon_cents": 200}, channel="push")
    assert budgets.spends_of(brings, texts(), EVENING)[0].amount == 200 * 1_000_000 + 50


@given(limit=st.integers(0, 10_000), shards=st.integers(1, 97))
def test_the_parts_of_a_budget_make_it_up(limit: int, shards: int) -> None:
    assert sum(budgets.part_of(limit, shards, shard) for shard in range(shards)) == limit


@pytest.mark.parametrize("shards", [1, 4, 7])
def test_claims_never_overspend_and_find_the_last_shard(shards: int) -> None:
    config, store = texts(limit_cents=3 * 50, shards=shards), MemoryOffers()
    paid = 0
    (purse,) = budgets.purses(text(1).kind, "", config, EVENING)
    for n in range(80):
        (take,) = budgets.spends_of(text(n), config, EVENING)
        takes = Reservation(spends=budgets.spread(take, purse, store.taken(purse.pool, shards), budgets.parts_each(1)))
        if takes.spends and not store.lacks(takes):
            store.take(takes)
            paid += 1
    assert paid == 50
    assert sum(store.taken(purse.pool, shards)) == purse.limit


def test_the_claim_takes_the_money_and_a_failure_gives_it_back_once() -> None:
    desk = Desk(budgets=texts(limit_cents=3).budgets)
    store = MemoryOffers()
    ledger = MemoryLedger(desk.contacts, desk.suppressions, store)
    plans = [text(1), text(2)]
    for plan in plans:
        assert ledger.record(plan)

    def claim(plan: Message) -> Reservation:
        held = Reservation(spends=budgets.spends_of(plan, desk.config, EVENING))
        ledger.claim(
            plan,
            desk.contacts.load(SHE),
            token=plan.moment_id,
            now=EVENING,
            lease_until=EVENING + HOUR,
            takes_slot=True,
            keep_slots_since=EVENING - 40 * DAY,
            reservation=held,
        )
        return held

    held = claim(plans[0])
    with pytest.raises(Conflict) as conflict:
        claim(plans[1])
    assert conflict.value.code == "pool_empty"
    for _ in range(2):
        ledger.finish(
            plans[0], token=plans[0].moment_id, state=State.FAILED, reason="x", now=EVENING, gives_slot_back=True, returns=held
        )
    assert store.taken(held.spends[0].pool, 1) == [0]
    claim(plans[1])


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("budgets.b.per", {"budgets": {"b": {"limit_cents": 1, "per": "year"}}}),
        ("budgets.b.limit_cents", {"budgets": {"b": {"limit_cents": -1, "per": "day"}}}),
        ("budgets.b.shards", {"budgets": {"b": {"limit_cents": 1, "per": "day", "shards": 0}}}),
        ("currency", {"currency": "pounds"}),
        ("holdout.share", {"holdout": {"share": 1.5}}),
        ("holdout.campaigns.spring.share", {"holdout": {"campaigns": {"spring": {"share": -0.1, "salt": ""}}}}),
        ("place.time_zone", {"place": {"time_zone": "Mars/Olympus"}}),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_path(path: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        section(Decisions, "decisions", {"decisions": wrong})
    assert refused.value.field == f"decisions.{path}"


def test_festivals_wait_for_a_weekday_evening() -> None:
    saturday = datetime(2026, 6, 13, 12, 0, tzinfo=UTC)
    desk = Desk(now=saturday)
    due = moment("festival", "mid-autumn/2026", at=saturday, expires_at=saturday + 7 * DAY, facts={"festival": "mid-autumn"})
    entry = desk.decide(due)
    assert (entry.state, entry.reason) == (State.DEFERRED, "best_hour")
    assert entry.not_before is not None
    assert (entry.not_before.isoweekday(), 19 <= entry.not_before.hour < 22) == (1, True)


GIFT = {"kind": "percent", "percent": 20, "days": 3, "cost_cents": 500, "currency": "GBP"}


def paying(currency: str = "GBP", limit_cents: int = 100_000, shards: int = 1, **more: Any) -> dict[str, Any]:
    """A shop.yaml whose welcome brings a coupon of 5.00 GBP, paid by a budget."""
    budget = {"limit_cents": limit_cents, "per": "month", "shards": shards, **more}
    decisions = {"kinds": {"welcome": {"offer": "gift"}}, "budgets": {"b": budget}, "currency": currency}
    return {"offers": {"offers": {"gift": GIFT}}, "decisions": decisions}


@pytest.mark.parametrize("fine", [{}, {"shards": 16}, {"limit_cents": 0}, {"currency": "USD", "campaigns": ["spring"]}])
def test_a_budget_that_can_pay_for_its_coupons_is_accepted(fine: dict[str, Any]) -> None:
    check(paying(**fine))


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("decisions.currency", {"currency": "USD"}),
        ("decisions.currency", {"currency": ""}),
        ("decisions.currency", {"currency": "USD", "campaigns": ["welcome"]}),
        ("decisions.budgets.b.shards", {"limit_cents": 5_000, "shards": 1_000}),
    ],
)
def test_a_budget_that_cannot_pay_for_its_coupons_is_refused_by_path(path: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        check(paying(**wrong))
    assert refused.value.field == path
    assert refused.value.reason.startswith(f"{path}: ")


@pytest.mark.parametrize(("currency", "verdict"), [("GBP", "PLANNED"), ("USD", "WITHHELD"), ("", "WITHHELD")])
def test_a_budget_in_another_currency_decides_for_no_coupon(currency: str, verdict: str) -> None:
    offers = section(OfferSettings, "offers", paying())
    decisions = section(Decisions, "decisions", paying(currency))
    desk = Desk(kinds={**numbers().kinds, **decisions.kinds}, budgets=decisions.budgets, currency=currency)
    desk.decide = replace(desk.decide, pools=Spent(0), offers=offers)
    entry = desk.decide(moment("welcome", facts={}))
    assert (entry.state.value, entry.reason) == (verdict, "chosen" if verdict == "PLANNED" else "over_budget")
