"""The words of feedback and what each one does.

    kind          mark on the message        besides
    sent          (settles UNKNOWN only)
    delivered     delivered
    opened        opened | machine_opened
    read          read
    clicked       clicked | machine_clicked (unclicked, clicked_again: `regulars.feedback.machines`)
    bounced       bounced                    permanent: address suppressed on the first
                  soft_bounced               transient: nothing more
    rejected      rejected
    complained    complained                 address suppressed, consent of the channel withdrawn
    unsubscribed  unsubscribed               consent of the channel, or of detail.topic, withdrawn
    stopped       unsubscribed               address suppressed, consent withdrawn
    resumed                                  the suppression that an earlier `stopped` made is lifted

START takes back what STOP did and nothing else: consent that was withdrawn by a link or in the preferences stays withdrawn, a
bounce or complaint stays suppressed. What consent stood before STOP stands again, as START is itself a request for messages:
an opt-in by keyword (CTIA, "Messaging Principles and Best Practices", 5.1.2) and the 请求 of the Chinese rules
(通信短信息服务管理规定, 第十八条).

Every effect may be repeated: providers, SNS and SQS all deliver at least once.
"""

from __future__ import annotations

from dataclasses import dataclass

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


MACHINE = {kind: Effect(mark=f"machine_{kind}") for kind in ("opened", "clicked")}


def effect_of(feedback: Feedback, *, machine: bool = False) -> Effect:
    """What this feedback does; `machine`: an open or click that is none of hers. KeyError for an unknown kind."""
    effect = EFFECTS[feedback.kind]
    if feedback.kind == "bounced" and not feedback.detail.get("permanent"):
        return SOFT_BOUNCE
    return MACHINE.get(feedback.kind, effect) if machine else effect
