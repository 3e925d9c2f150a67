"""record_feedback: one queue body → its effects, each of which may be repeated.

Order within one report: what protects the shopper first (suppression, consent), then the mark, then late credit. A crash
between any two leaves a report that comes again and completes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from regulars.clock import Clock, from_ms
from regulars.decisions.model import State
from regulars.decisions.ports import Contacts, Ledger, Suppressions
from regulars.errors import GiveUp, Invalid, NotFound
from regulars.feedback.attribution import Attribution
from regulars.feedback.config import FeedbackConfig
from regulars.feedback.machines import AGAIN, TAKEN_BACK, is_machine, taken_back
from regulars.feedback.model import MACHINE, STOPPED, Effect, effect_of
from regulars.feedback.parsing import parse
from regulars.ids import split_message_id
from regulars.messages import Feedback

Outcome = str
"""recorded · repeated (marked before) · noted (nothing to mark) · unknown_message (erased or past its retention)."""


class RecordFeedback:
    """Applies what `parse` finds in a body."""

    def __init__(
        self,
        ledger: Ledger,
        contacts: Contacts,
        suppressions: Suppressions,
        attribution: Attribution,
        clock: Clock,
        config: FeedbackConfig,
        topics: Collection[str],
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._suppressions = suppressions
        self._attribution = attribution
        self._clock = clock
        self._config = config
        self._topics = frozenset(topics)

    def __call__(self, body: str) -> list[Outcome]:
        """One outcome per report in the body. Raises GiveUp for poison and TryLater when a table cannot be reached."""
        return [self._apply(feedback) for feedback in parse(body, topics=self._topics, config=self._config)]

    def _apply(self, feedback: Feedback) -> Outcome:
        shopper, moment_id = _subject(feedback)
        message = self._ledger.get(shopper, moment_id) if moment_id and feedback.kind in MACHINE else None
        machine = feedback.kind in MACHINE and is_machine(feedback, message, self._config)
        effect = effect_of(feedback, machine=machine)
        self._protect(feedback, effect, shopper, moment_id)
        if not moment_id:
            return "noted"
        try:
            if message and machine and taken_back(message.marks, feedback, self._config):
                self._ledger.mark(shopper, moment_id, mark=TAKEN_BACK, at=from_ms(feedback.at_ms), detail="burst")
            if message and feedback.kind == "clicked" and TAKEN_BACK in message.marks and not machine:
                effect = replace(effect, mark=AGAIN)
            if effect.mark:
                return self._mark(feedback, effect, shopper, moment_id)
            return self._settle(feedback, shopper, moment_id)
        except NotFound:
            return "unknown_message"

    def _protect(self, feedback: Feedback, effect: Effect, shopper: str, moment_id: str) -> None:
        now = self._clock()
        said_at = min(from_ms(feedback.at_ms), now)
        if effect.suppress:
            address = feedback.address or self._address(shopper, moment_id)
            if address:
                self._suppressions.add(feedback.channel, address, reason=effect.suppress, now=said_at)
        if effect.lifts:
            self._suppressions.lift(feedback.channel, feedback.address, reason=STOPPED, said_at=said_at)
        # Our own links and preferences have withdrawn consent before they report, and name themselves.
        if effect.refuses and shopper and not feedback.detail.get("source"):
            self._withdraw(feedback, shopper, now)

    def _withdraw(self, feedback: Feedback, shopper: str, now: datetime) -> None:
        """Consent off for the channel, or only for `detail.topic` of it, as of when she said so: a report that comes late
        undoes no newer yes. Nothing is written when nothing is known of the shopper (erased: no consent stands, and no record
        may come back)."""
        if not self._contacts.load(shopper).version:
            return
        topic = str(feedback.detail.get("topic") or "")
        subject = f"{feedback.channel}/{topic}" if topic else feedback.channel
        proof = {"source": f"feedback:{feedback.kind}", "at": feedback.at_ms, "message_id": feedback.message_id}
        said = {subject: from_ms(feedback.at_ms)}
        if topic:
            self._contacts.update(shopper, now=now, topics={subject: False}, consent_at=said, proof=proof)
        else:
            self._contacts.update(shopper, now=now, consent={subject: False}, consent_at=said, proof=proof)

    def _mark(self, feedback: Feedback, effect: Effect, shopper: str, moment_id: str) -> Outcome:
        at = from_ms(feedback.at_ms)
        detail = str(feedback.detail.get("subtype") or feedback.detail.get("type") or feedback.detail.get("link") or "")
        first = self._ledger.mark(shopper, moment_id, mark=effect.mark, at=at, detail=detail[:100])
        if effect.touches:
            self._attribution.touched(shopper, moment_id, feedback.kind, at)
        return "recorded" if first else "repeated"

    def _settle(self, feedback: Feedback, shopper: str, moment_id: str) -> Outcome:
        """The provider says it took the message: news only when we could not tell."""
        message = self._ledger.get(shopper, moment_id)
        if feedback.kind != "sent" or message is None or message.state is not State.UNKNOWN:
            return "noted"
        self._ledger.mark(shopper, moment_id, mark="accepted", at=from_ms(feedback.at_ms), detail="")
        return "recorded"

    def _address(self, shopper: str, moment_id: str) -> str:
        message = self._ledger.get(shopper, moment_id) if moment_id else None
        return message.address if message else ""


def _subject(feedback: Feedback) -> tuple[str, str]:
    """(shopper, moment id): of the message when one is named, else the shopper alone."""
    if not feedback.message_id:
        return feedback.shopper, ""
    try:
        return split_message_id(feedback.message_id)
    except Invalid as error:
        raise GiveUp("feedback names something that is no message id", code="poison") from error
