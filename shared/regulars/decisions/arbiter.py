"""The arbiter: what is known → one Decision. Pure; the rules stand in the order in which they speak.

    1 the moment        known kind? not past, not from the future, not put off for ever, not answered by an order
    2 the shopper       known, not erased; for marketing: no open complaint, in no control group
    3 the offer         not over, not sold out
    4 the channel       consent → address → suppression → provider → pause → budget; the usable ones ranked by worth
    5 the others        of several live moments the highest wins
    6 the caps          rolling, per channel: the next channel may still have a place
    7 the clock         quiet and legal hours, then the hour she usually reads at

Order updates (transactional) skip the shopper's rules for marketing, 3, pause and budget, 5, 6 and the best hour; quiet hours
hold for them on channels that ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from regulars.clock import from_ms
from regulars.decisions import channel, reasons
from regulars.decisions.config import Decisions, Kind
from regulars.decisions.holdout import HOLDOUT, TREATED, Enrolment, arm_of, enrolments, newly_enrolled
from regulars.decisions.model import State
from regulars.decisions.settling import Case
from regulars.decisions.verdicts import Decision, Facts, withheld
from regulars.profiles.model import Profile


def decide(facts: Facts, config: Decisions) -> Decision:
    """The one answer; never an exception for any well-formed moment."""
    kind = config.kinds.get(facts.moment.kind)
    if kind is None:
        return withheld(reasons.UNKNOWN_KIND, facts.moment.kind)
    stop = _moment_stops(facts, kind, config) or _shopper_stops(facts, kind, config)
    if stop:
        return stop
    if kind.transactional:
        return _reachable(facts, kind, config)
    drawn = enrolments(facts.profile.shopper, facts.campaign, config)
    decision = _of_arm(drawn, facts) or _offer_stops(facts) or _reachable(facts, kind, config)
    arm = arm_of(facts.profile.shopper, config, facts.campaign)
    return replace(decision, arm=arm, enrolled=tuple(newly_enrolled(drawn, facts.recent)))


def answered(profile: Profile, occurred_at: datetime) -> bool:
    """Whether an order came after the moment."""
    return any(order.at > occurred_at for order in profile.orders)


def _of_arm(drawn: Sequence[Enrolment], facts: Facts) -> Decision | None:
    """Control groups are not written to."""
    lot = next((entry for entry in drawn if entry.arm != TREATED), None)
    if lot is None:
        return None
    return withheld(reasons.HOLDOUT) if lot.arm == HOLDOUT else withheld(reasons.CONTROL, facts.campaign)


def _offer_stops(facts: Facts) -> Decision | None:
    if facts.terms and facts.terms.closed:
        return withheld(reasons.OFFER_CLOSED, facts.terms.offer)
    return withheld(reasons.SOLD_OUT) if facts.sold_out else None


def _reachable(facts: Facts, kind: Kind, config: Decisions) -> Decision:
    ranking = channel.rank(kind, facts.contact, facts.profile, facts.barred, config)
    if not ranking.usable:
        return withheld(ranking.reason, refused=ranking.refused)
    return Case(facts, kind, config).settle(ranking)


def _moment_stops(facts: Facts, kind: Kind, config: Decisions) -> Decision | None:
    moment = facts.moment
    occurred_at = from_ms(moment.occurred_at_ms)
    if facts.now >= from_ms(moment.expires_at_ms):
        return Decision(state=State.LAPSED, reason=reasons.EXPIRED)
    if occurred_at > facts.now + timedelta(minutes=config.future_tolerance_minutes):
        return withheld(reasons.FROM_THE_FUTURE)
    if kind.answered_by_order and answered(facts.profile, occurred_at):
        return Decision(state=State.LAPSED, reason=reasons.ANSWERED)
    if moment.deferrals > config.most_deferrals:
        return Decision(state=State.LAPSED, reason=reasons.DEFERRED_TOO_OFTEN)
    return None


def _shopper_stops(facts: Facts, kind: Kind, config: Decisions) -> Decision | None:
    profile = facts.profile
    if profile.traits.get("erased"):
        return withheld(reasons.ERASED)
    if profile.first_seen_at is None and facts.contact.version == 0:
        return withheld(reasons.UNKNOWN_SHOPPER)
    if kind.transactional:
        return None
    muting = next((trait for trait in config.mute_traits if profile.traits.get(trait)), None)
    if muting:
        return withheld(reasons.MUTED, muting)
    return None
