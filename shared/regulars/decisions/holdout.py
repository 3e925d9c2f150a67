"""Control groups: the global one, never contacted for marketing, and one per campaign.

Who is in which is drawn, not stored (`regulars.decisions.experiments`). What is stored is the enrolment: the first decision
about a shopper under a draw adds a step ("enrolled", "<arm>/<share>/<draw>/<experiment>") to its history, in every arm at the
same point and before anything else is asked, so that arms counted by shopper must stand in the ratio of the shares; `draw` is
a fingerprint of the salt. If they do not, the experiment is broken (`regulars.metrics.ratios`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from regulars.decisions.config import Decisions
from regulars.decisions.experiments import assign
from regulars.decisions.model import Message
from regulars.ids import short_hash

HOLDOUT, CONTROL, TREATED = "holdout", "control", "treated"
ENROLLED = "enrolled"
"""The word of the history step."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A shopper's arm in one experiment: `holdout` (the global group) or the control group of a campaign."""

    experiment: str
    arm: str
    share: float
    salt: str

    @property
    def detail(self) -> str:
        draw = short_hash("draw", self.salt, size=3).hex()
        return f"{self.arm}/{self.share:g}/{draw}/{self.experiment}"


def campaign_of(kind: str, campaign: str) -> str:
    """What control groups, caps and budgets call a campaign: its name, for a standing trigger its kind."""
    return campaign or kind


def enrolments(shopper: str, campaign: str, config: Decisions) -> tuple[Enrolment, ...]:
    """Her arms, the global one first; the campaign's only when the global group leaves her. Shares of 0 draw nothing."""
    found: list[Enrolment] = []
    whole = config.holdout
    if whole.share:
        arms = {HOLDOUT: whole.share, TREATED: 1 - whole.share}
        found.append(Enrolment(HOLDOUT, assign(HOLDOUT, shopper, arms, whole.salt), whole.share, whole.salt))
    own = whole.campaigns.get(campaign)
    if own and own.share and not any(entry.arm == HOLDOUT for entry in found):
        experiment = f"{CONTROL}/{campaign}"
        arm = assign(experiment, shopper, {CONTROL: own.share, TREATED: 1 - own.share}, own.salt)
        found.append(Enrolment(experiment, arm, own.share, own.salt))
    return tuple(found)


def arm_of(shopper: str, config: Decisions, campaign: str = "") -> str:
    """`holdout`, `control:<campaign>` or `treated`; raising a share only adds to its group."""
    arms = {entry.arm for entry in enrolments(shopper, campaign, config)}
    if HOLDOUT in arms:
        return HOLDOUT
    return f"{CONTROL}:{campaign}" if CONTROL in arms else TREATED


def enrolled_in(detail: str) -> tuple[str, str, str]:
    """(experiment, arm, "<share>/<draw>") of the detail of a history step."""
    arm, share, draw, experiment = detail.split("/", 3)
    return experiment, arm, f"{share}/{draw}"


def newly_enrolled(enrolled: Iterable[Enrolment], recent: Iterable[Message]) -> list[str]:
    """Details of those that no entry of her ledger tells yet."""
    told = {detail for message in recent for _, word, detail in message.history if word == ENROLLED}
    return [entry.detail for entry in enrolled if entry.detail not in told]
