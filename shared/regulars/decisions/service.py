"""decide_message: read the facts, decide, record, and only then emit or defer.

The order of the writes is what makes a crash harmless: the ledger first, then the timer or the send order. A moment that
comes again finds its entry: PLANNED → the send order is emitted again (the claim lets one through), DEFERRED → it is
decided anew, anything else → nothing. Reads: profile, contact, ledger, the suppressions of the addresses that consent leaves
open, paused channels, and what is left of the budgets that would pay; the catalogue is a snapshot in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from regulars.channels.model import Contact
from regulars.clock import Clock, from_ms, to_ms
from regulars.decisions import budgets, channel, content, priorities, reasons, zones
from regulars.decisions.arbiter import decide
from regulars.decisions.config import Decisions, Kind
from regulars.decisions.gate import stamp
from regulars.decisions.holdout import ENROLLED
from regulars.decisions.model import Message, State
from regulars.decisions.offering import Terms, terms_of
from regulars.decisions.ports import Contacts, Deferral, Ledger, Pools, Showcase, Suppressions
from regulars.decisions.verdicts import Decision, Facts
from regulars.errors import TryLater
from regulars.ids import message_id
from regulars.messages import Moment, SendOrder
from regulars.offers.config import OfferSettings
from regulars.profiles.ports import Profiles
from regulars.queues import Queue

RECENT = 200
"""Ledger entries looked at; the caps of any sane shop count far fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideMessage:
    """One moment in, one ledger entry out. Raises TryLater when a store or queue does.

    `queues`: channel → its queue. `paused`: channel → why marketing rests there. `pools`: what was taken of budgets, not read
    while there is no budget. `sold_out`: whether nothing is left of the offer called so.
    """

    profiles: Profiles
    contacts: Contacts
    suppressions: Suppressions
    ledger: Ledger
    showcase: Showcase
    queues: Mapping[str, Queue]
    defer: Deferral
    clock: Clock
    config: Decisions
    offers: OfferSettings | None = None
    pools: Pools | None = None
    paused: Callable[[], Mapping[str, str]] = dict
    sold_out: Callable[[str], bool] = lambda offer: False

    def __call__(self, moment: Moment) -> Message:
        """The entry that stands afterwards."""
        now = self.clock()
        profile = self.profiles.load(moment.shopper, now)
        shopper = profile.shopper
        if shopper != moment.shopper and (elsewhere := self._decided_before_merge(moment, now)):
            return elsewhere
        contact = self.contacts.load(shopper)
        recent = self.ledger.list(shopper, RECENT)
        standing = next((entry for entry in recent if entry.moment_id == moment.id), None)
        if standing and standing.state is not State.DEFERRED:
            # The list may be behind: a sender may have put the message off since, and this moment is what comes of that.
            standing = self.ledger.get(shopper, moment.id) or standing
        if standing and standing.state is not State.DEFERRED:
            return self._again(standing, now, recent)
        kind = self.config.kinds.get(moment.kind)
        terms = terms_of(kind, self.offers, self.config, now) if kind else None
        facts = Facts(
            moment=moment,
            profile=profile,
            contact=contact,
            now=now,
            recent=recent,
            barred=self._barred(moment, kind, contact, standing, terms, now) if kind else channel.Barred(),
            terms=terms,
            sold_out=bool(terms and not terms.closed and self.sold_out(terms.offer)),
        )
        message = self._message(facts, decide(facts, self.config), standing)
        return self._carry_out(moment, message, facts)

    def _barred(
        self, moment: Moment, kind: Kind, contact: Contact, standing: Message | None, terms: Terms | None, now: datetime
    ) -> channel.Barred:
        addresses = channel.addresses_worth_checking(kind, contact)
        suppressed = self.suppressions.among(addresses) if addresses else {}
        tried = standing.tried if standing else ()
        if kind.transactional:
            return channel.Barred(suppressed=suppressed, tried=tried)
        paying = budgets.purses(moment.kind, moment.campaign, self.config, now) if self.pools else []
        spent = {purse.pool: sum(self.pools.taken(purse.pool, purse.shards)) for purse in paying} if self.pools else {}
        cost_cents, currency = (terms.cost_cents, terms.currency) if terms else (0, "")
        return channel.Barred(
            suppressed=suppressed,
            tried=tried,
            paused=self.paused(),
            unaffordable=budgets.unaffordable(kind.channels, paying, spent, self.config, cost_cents, currency),
        )

    def _message(self, facts: Facts, decision: Decision, standing: Message | None) -> tuple[Message, Decision]:
        moment = facts.moment
        wire: Mapping[str, Any] = {}
        if decision.state is State.PLANNED:
            made = content.compose(
                moment, facts.profile, facts.contact, decision.channel, self.showcase, self.config, facts.now, facts.terms
            )
            if made is None:
                decision = replace(decision, state=State.WITHHELD, reason=reasons.NOTHING_TO_SHOW, channel="", overtakes=())
            else:
                zone = zones.clock_of(facts.contact, self.config.place)
                wire = {**made.to_wire(), **stamp(facts.profile.tier, zone.key, facts.terms.cost_cents if facts.terms else 0)}
        at_ms = to_ms(facts.now)
        steps = [(at_ms, ENROLLED, detail) for detail in decision.enrolled]
        steps.append((at_ms, decision.state.value, _story(decision)))
        message = Message(
            shopper=facts.profile.shopper,
            moment_id=moment.id,
            kind=moment.kind,
            subject=moment.subject,
            state=decision.state,
            reason=decision.reason,
            decided_at=facts.now,
            occurred_at=from_ms(moment.occurred_at_ms),
            expires_at=facts.expires_at,
            channel=decision.channel,
            address=facts.contact.addresses.get(decision.channel, "") if decision.state is State.PLANNED else "",
            not_before=decision.not_before,
            content=wire,
            history=(*(standing.history if standing else ()), *steps),
            arm=decision.arm,
            correlation_id=moment.correlation_id,
            campaign=moment.campaign,
            facts=dict(moment.facts),
            deferrals=moment.deferrals,
            tried=standing.tried if standing else (),
        )
        return message, decision

    def _carry_out(self, moment: Moment, decided: tuple[Message, Decision], facts: Facts) -> Message:
        message, decision = decided
        if not self.ledger.record(message):
            stands = self.ledger.get(message.shopper, message.moment_id)
            if stands is None:
                raise TryLater("the ledger entry went away between two calls", code="ledger_moved")
            return self._again(stands, facts.now, facts.recent)
        if message.state is State.DEFERRED and message.not_before:
            self.defer(replace(moment, shopper=message.shopper), message.not_before)
        for overtaken in decision.overtakes:
            self.ledger.close(message.shopper, overtaken, state=State.LAPSED, reason=reasons.OUTRANKED, now=facts.now)
        if message.state is State.PLANNED:
            self._emit(message, facts.now)
        return message

    def _again(self, standing: Message, now: datetime, recent: Sequence[Message] = ()) -> Message:
        """A moment that was decided before: only an unclaimed plan needs anything. Whoever recorded it may have died before
        closing the lesser plans that stood when it was decided."""
        if standing.state is not State.PLANNED:
            return standing
        if now >= standing.expires_at:
            self.ledger.close(standing.shopper, standing.moment_id, state=State.LAPSED, reason=reasons.EXPIRED, now=now)
            return replace(standing, state=State.LAPSED, reason=reasons.EXPIRED)
        kind = self.config.kinds.get(standing.kind)
        if kind and not kind.transactional:
            before = [other for other in recent if other.decided_at <= standing.decided_at]
            for lesser in priorities.outranked(before, self.config, kind=standing.kind, moment_id=standing.moment_id):
                self.ledger.close(standing.shopper, lesser, state=State.LAPSED, reason=reasons.OUTRANKED, now=now)
        self._emit(standing, now)
        return standing

    def _decided_before_merge(self, moment: Moment, now: datetime) -> Message | None:
        """What was decided while the shopper was anonymous; a decision that only waited continues under the new name."""
        standing = self.ledger.get(moment.shopper, moment.id)
        if standing is None:
            return None
        if standing.state is State.DEFERRED:
            self.ledger.close(moment.shopper, moment.id, state=State.LAPSED, reason=reasons.MERGED, now=now)
            return None
        return None if standing.reason == reasons.MERGED else self._again(standing, now)

    def _emit(self, message: Message, now: datetime) -> None:
        order = SendOrder(
            id=message_id(message.shopper, message.moment_id),
            correlation_id=message.correlation_id,
            sent_at_ms=to_ms(now),
            shopper=message.shopper,
            moment_id=message.moment_id,
            channel=message.channel,
        )
        self.queues[message.channel].send([order])


def _story(decision: Decision) -> str:
    """One line for the history: reason, particulars, the channels passed over."""
    parts: Sequence[str] = [
        decision.reason,
        decision.detail,
        ", ".join(f"{name}: {code}" for name, code in decision.refused.items()),
    ]
    return "; ".join(part for part in parts if part)
