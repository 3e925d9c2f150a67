"""regulars explain: the whole story, readable, without giving an address away."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from tests.support.decisions import EVENING, HOUR, SHE, Desk, message, moment

from regulars.decisions.explain import Explain
from regulars.decisions.limits import Control, Holdout
from regulars.decisions.reasons import SENTENCES, sentence
from regulars.profiles.model import Expected

NOON = datetime(2026, 6, 10, 12, 0, tzinfo=UTC)


def explainer(desk: Desk) -> Explain:
    return Explain(desk.people, desk.contacts, desk.ledger, lambda: desk.now, desk.config)


def test_the_story_says_who_what_and_why() -> None:
    desk = Desk()
    desk.knows(tier="high", stage="loyal", rfm="HHM")
    desk.contacts.update(SHE, now=EVENING, details={"time_zone": "Europe/Paris"}, topics={"email/offers": False})
    desk.now = EVENING - 2 * HOUR
    desk.send(desk.decide(moment(at=desk.now)), desk.now)
    desk.ledger.mark(SHE, moment().id, mark="opened", at=EVENING)
    desk.now = EVENING - HOUR
    desk.decide(moment("winback_dormant", "w1", at=desk.now, facts={}))
    story = explainer(desk)(SHE)
    assert story["who"] == {
        "stage": "loyal",
        "tier": "high",
        "rfm": "HHM",
        "orders": 0,
        "time_zone": "Europe/Paris",
        "country": "GB",
        "language": "en",
        "holdout": False,
        "control_of": [],
        "consent": {"email": "yes", "email/offers": "no"},
        "addresses": {"email": "m***@example.com"},
        "caps": {"day": "1 of 2", "month": "1 of 5", "kind_week/cart_abandoned": "1 of 2"},
    }
    withheld, sent = story["moments"]
    assert (withheld["state"], withheld["reason"], withheld["sentence"]) == (
        "WITHHELD",
        "no_consent",
        SENTENCES["no_consent"],
    )
    assert (sent["state"], sent["channel"], sent["shows"]) == ("SENT", "email", ["Vase", "Lamp"])
    assert sent["feedback"] == {"opened": "2026-06-10 20:30:00Z"}
    assert sent["decided_at_local"] == "Wed 2026-06-10 20:30 CEST"
    json.dumps(story)


def test_the_text_tells_the_same() -> None:
    desk = Desk(now=NOON)
    desk.decide(moment("repurchase_due", "r1", at=NOON))
    text = explainer(desk).text(SHE)
    assert "repurchase_due: DEFERRED on email" in text
    assert SENTENCES["best_hour"] in text
    assert "waits until Wed 2026-06-10 2" in text
    assert "mira@example.com" not in text


def test_a_shopper_without_moments() -> None:
    text = explainer(Desk()).text("user:new")
    assert "No moment has come up" in text


def test_every_code_has_a_sentence_and_a_strange_one_is_shown() -> None:
    from regulars.decisions import reasons

    codes = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert codes == set(SENTENCES)
    assert "from_mars" in sentence("from_mars")


def test_it_tells_what_is_expected_of_her() -> None:
    desk = Desk()
    expected = Expected(purchases=2.5, horizon_days=90, chance=0.81, next_day=date(2026, 7, 1), lifetime_cents=31_250)
    desk.knows(expected=expected)
    desk.now = EVENING
    assert explainer(desk)(SHE)["who"]["expected"] == {
        "purchases": 2.5,
        "within_days": 90,
        "chance": 0.81,
        "next_purchase": "2026-07-01",
        "lifetime_value_cents": 31_250,
    }
    text = explainer(desk).text(SHE)
    assert "expected: 2.5 purchases within 90 days (any: 81%), the next about 2026-07-01" in text
    assert "value of the coming year 312.50" in text


def test_the_story_tells_of_arms_campaigns_refusals_offers_pauses_and_the_telephone() -> None:
    control = Holdout(share=0.0, salt="g", campaigns={"spring": Control(share=1.0, salt="1")})
    desk = Desk(holdout=control)
    desk.contacts.update(SHE, now=EVENING, details={"push_vendor": "vivo"})
    desk.decide(moment("birthday", "b1", campaign="spring"))
    told = message("welcome", "w1", tried=("push",), content={"offer": {"name": "welcome_30", "text": "Save 30."}})
    desk.ledger.record(told)
    explain = Explain(desk.people, desk.contacts, desk.ledger, lambda: desk.now, desk.config, lambda: {"sms": "complaints"})
    story = explain(SHE)
    who, moments = story["who"], {entry["moment_id"]: entry for entry in story["moments"]}
    assert (who["control_of"], who["telephone"], who["caps"]["vendor/vivo"]) == (["spring"], "vivo", "0 of 2")
    assert who["paused_channels"] == {"sms": "complaints"}
    assert (moments["birthday#b1"]["campaign"], moments["birthday#b1"]["arm"]) == ("spring", "control:spring")
    assert (moments["welcome#w1"]["refused_by"], moments["welcome#w1"]["offer"]["name"]) == (["push"], "welcome_30")
    text = explain.text(SHE)
    for line in (
        "control group of spring",
        "paused: sms (complaints)",
        "birthday of spring: WITHHELD",
        "refused by push",
        "brings welcome_30",
        sentence("control"),
    ):
        assert line in text
