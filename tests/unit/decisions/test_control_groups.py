"""Lots, control groups of campaigns, and enrolment told once a shopper and draw, in every arm alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.support.decisions import DAY, SHE, Desk, moment, numbers

from regulars.decisions.experiments import assign, point_of
from regulars.decisions.holdout import ENROLLED, arm_of, enrolled_in, enrolments
from regulars.decisions.limits import Control, Holdout
from regulars.decisions.model import Message
from regulars.errors import Invalid
from regulars.metrics.ratios import mismatch_p

SHOPPERS = [f"user:{n}" for n in range(20_000)]
HALVES = {"a": 1.0, "b": 1.0}


def control(share: float = 0.1, salt: str = "1", everybody: float = 0.0) -> Holdout:
    return Holdout(share=everybody, salt="global", campaigns={"spring": Control(share=share, salt=salt)})


def test_lots_are_sticky_weighted_and_independent() -> None:
    arms = {"a": 1.0, "b": 2.0, "c": 1.0, "never": 0.0}
    drawn = [assign("copy", shopper, arms, "s") for shopper in SHOPPERS]
    assert drawn == [assign("copy", shopper, dict(arms), "s") for shopper in SHOPPERS]
    shares = {arm: count / len(SHOPPERS) for arm, count in Counter(drawn).items()}
    assert shares == {"a": pytest.approx(0.25, abs=0.01), "b": pytest.approx(0.5, abs=0.01), "c": pytest.approx(0.25, abs=0.01)}
    other = [assign("timing", shopper, HALVES) for shopper in SHOPPERS]
    salted = [assign("copy", shopper, HALVES, "t") for shopper in SHOPPERS]
    for independent in (other, salted):
        both = sum(one == "b" and two == "b" for one, two in zip(drawn, independent, strict=True))
        assert both / len(SHOPPERS) == pytest.approx(0.25, abs=0.01)


def test_raising_the_first_arm_only_adds_to_it() -> None:
    for shopper in SHOPPERS[:2_000]:
        assert assign("x", shopper, {"a": 1, "b": 9}) == "b" or assign("x", shopper, {"a": 3, "b": 7}) == "a"
    assert 0 <= point_of("x", SHE) < 1


@pytest.mark.parametrize("arms", [{}, {"a": 0.0}, {"a": -1.0, "b": 3.0}])
def test_weights_that_make_no_sense_are_refused(arms: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="experiment copy: weights"):
        assign("copy", SHE, arms)


def test_a_campaigns_control_group_is_drawn_beside_the_global_one() -> None:
    config = replace(numbers(), holdout=control(0.2, everybody=0.05))
    arms = Counter(arm_of(shopper, config, "spring") for shopper in SHOPPERS)
    assert arms["holdout"] / len(SHOPPERS) == pytest.approx(0.05, abs=0.005)
    assert arms["control:spring"] / len(SHOPPERS) == pytest.approx(0.95 * 0.2, abs=0.01)
    assert {arm_of(shopper, config, "summer") for shopper in SHOPPERS} == {"holdout", "treated"}
    held = {shopper for shopper in SHOPPERS if arm_of(shopper, config, "spring") == "control:spring"}
    redrawn = replace(numbers(), holdout=control(0.2, salt="2"))
    again = {shopper for shopper in held if arm_of(shopper, redrawn, "spring") == "control:spring"}
    assert len(again) / len(held) == pytest.approx(0.2, abs=0.03)


def test_who_is_in_it_is_not_written_to_by_the_campaign_but_by_others() -> None:
    desk = Desk(holdout=control(1.0))
    entry = desk.decide(moment("birthday", campaign="spring"))
    assert (entry.state.value, entry.reason, entry.arm) == ("WITHHELD", "control", "control:spring")
    assert desk.decide(moment("birthday", "b2")).arm == "treated"
    assert len(desk.orders) == 1


def test_a_standing_trigger_has_its_kind_as_campaign() -> None:
    desk = Desk(holdout=Holdout(share=0.0, salt="g", campaigns={"birthday": Control(share=1.0, salt="1")}))
    assert desk.decide(moment("birthday")).arm == "control:birthday"


def test_order_updates_are_in_no_experiment() -> None:
    desk = Desk(holdout=Holdout(share=1.0, salt="g", campaigns={"order_update": Control(share=1.0, salt="1")}))
    entry = desk.decide(moment("order_update", facts={}))
    assert (entry.state.value, entry.arm, steps(entry)) == ("PLANNED", "", [])


def steps(entry: Message) -> list[tuple[str, str, str]]:
    return [enrolled_in(detail) for _, word, detail in entry.history if word == ENROLLED]


@pytest.mark.parametrize(("share", "arm"), [(0.000001, "treated"), (1.0, "control")])
def test_each_arm_enrols_her_once_a_draw_whatever_comes_of_it(share: float, arm: str) -> None:
    desk = Desk(holdout=control(share, everybody=0.000001))
    first = desk.decide(moment("birthday", "b1", campaign="spring"))
    assert [(experiment, lot) for experiment, lot, _ in steps(first)] == [("holdout", "treated"), ("control/spring", arm)]
    desk.now += DAY
    assert steps(desk.decide(moment("birthday", "b2", at=desk.now, campaign="spring"))) == []
    desk.contacts.update(SHE, now=desk.now, addresses={"email": None})
    again = Desk(holdout=control(share, salt="other", everybody=0.000001))
    again.contacts.update(SHE, now=desk.now, addresses={"email": None})
    unreachable = again.decide(moment("birthday", "b1", campaign="spring"))
    assert unreachable.reason == ("control" if arm == "control" else "no_address")
    assert [lot for _, lot, _ in steps(unreachable)] == ["treated", arm]


def test_a_decision_that_waited_enrols_no_second_time() -> None:
    desk = Desk(holdout=control(0.000001))
    desk.now = desk.now.replace(hour=3)
    waiting = desk.decide(moment("birthday", at=desk.now, campaign="spring"))
    back, until = desk.deferred[-1]
    desk.now = until
    assert back.campaign == "spring"
    entry = desk.decide(replace(back, deferrals=1))
    assert (waiting.state.value, entry.state.value) == ("DEFERRED", "PLANNED")
    assert len(steps(entry)) == 1


def test_enrolled_arms_stand_in_the_ratio_drawn() -> None:
    config = replace(numbers(), holdout=control(0.3))
    drawn = Counter(lot.arm for shopper in SHOPPERS for lot in enrolments(shopper, "spring", config))
    p = mismatch_p(drawn["control"], drawn["treated"], 0.3)
    assert p is not None
    assert p > 0.001
