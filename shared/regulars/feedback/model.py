"""The words of feedback and what each one does.

    kind          mark on the message        besides
    sent          (settles UNKNOWN only)
    delivered     delivered
    opened        opened | machine_opened
    read          read
    clicked       clicked | machine_clicked
    bounced       bounced                    permanent: address suppressed on the first
                  soft_bounced               transient: nothing more
    rejected      rejected
    complained    complained                 address suppressed, consent of the channel withdrawn
    unsubscribed  unsubscribed               consent of the channel, or of detail.topic, withdrawn
    stopped       unsubscribed               address suppressed, consent withdrawn
    resumed                                  the suppression that `stopped` made is lifted

Every effect may be repeated: providers, SNS and SQS all deliver at least once.
"""

from __future__ import annotations

from dataclasses import dataclass

from regulars.feedback.config import FeedbackConfig
from regulars.messages import Feedback

BOUNCE = "bounce"
COMPLAINT = "complaint"
STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """`suppress`: reason to suppress the address, "" for none; `refuses`: consent is withdrawn; `lifts`: STOP taken back."""

    mark: str = ""
    suppress: str = ""
    refuses: bool = False
    lifts: bool = False
    touches: bool = False


EFFECTS = {
    "sent": Effect(),
    "delivered": Effect(mark="delivered"),
    "opened": Effect(mark="opened", touches=True),
    "read": Effect(mark="read", touches=True),
    "clicked": Effect(mark="clicked", touches=True),
    "bounced": Effect(mark="bounced", suppress=BOUNCE),
    "rejected": Effect(mark="rejected"),
    "complained": Effect(mark="complained", suppress=COMPLAINT, refuses=True),
    "unsubscribed": Effect(mark="unsubscribed", refuses=True),
    "stopped": Effect(mark="unsubscribed", suppress=STOPPED, refuses=True),
    "resumed": Effect(lifts=True),
}
SOFT_BOUNCE = Effect(mark="soft_bounced")
KINDS = frozenset(EFFECTS)


def effect_of(feedback: Feedback, config: FeedbackConfig) -> Effect:
    """What this feedback does. KeyError for a kind that is not in the table."""
    effect = EFFECTS[feedback.kind]
    if feedback.kind == "bounced" and not feedback.detail.get("permanent"):
        return SOFT_BOUNCE
    if feedback.kind in ("opened", "clicked") and by_machine(feedback, config):
        return Effect(mark=f"machine_{feedback.kind}")
    return effect


def by_machine(feedback: Feedback, config: FeedbackConfig) -> bool:
    """A scanner or Mail Privacy Protection, not a shopper: `detail.bot` says so, or `detail.user_agent` gives it away."""
    if feedback.detail.get("bot"):
        return True
    agent = str(feedback.detail.get("user_agent", "")).strip()
    if agent in config.machine_agents:
        return True
    lowered = agent.lower()
    return any(part in lowered for part in config.machine_agent_parts)
