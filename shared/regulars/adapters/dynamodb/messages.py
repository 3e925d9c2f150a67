"""The ledger in DynamoDB: one item per shopper and moment, every transition conditional on the state it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item, dynamodb, item_to_wire, query, translated
from regulars.adapters.dynamodb.contacts import claim_place, moved_place, return_place
from regulars.adapters.dynamodb.coupons import return_reservation, take_reservation, without_coupon
from regulars.adapters.dynamodb.ledger_items import item_of, message_of
from regulars.adapters.dynamodb.transactions import (
    Cancelled,
    Change,
    Request,
    applies,
    apply,
    get,
    get_together,
    insist,
    transact,
)
from regulars.channels.model import Contact, Slot
from regulars.clock import to_ms
from regulars.decisions.addresses import normalised
from regulars.decisions.model import SETTLING_MARKS, Message, State
from regulars.errors import Conflict, NotFound, TryLater
from regulars.ids import stable_id
from regulars.offers.model import NOTHING, Reservation

_CLAIM_CODES = ("not_planned", "contact_changed")
_FINISH_TRIES = 5
_DOUBLINGS = 2


class DynamoLedger:
    """Implements `regulars.decisions.ports.Ledger`. `keep_days`: how long decisions are remembered."""

    def __init__(
        self,
        messages_table: str,
        contacts_table: str,
        suppressions_table: str,
        offers_table: str = "",
        *,
        keep_days: int = 400,
    ) -> None:
        self._messages, self._contacts, self._suppressions = messages_table, contacts_table, suppressions_table
        self._offers = offers_table
        self._keep = timedelta(days=keep_days)

    def record(self, message: Message) -> bool:
        item = item_of(message, message.decided_at + self._keep)
        try:
            with translated():
                dynamodb().put_item(
                    TableName=self._messages,
                    Item=item_to_wire(item),
                    ConditionExpression="attribute_not_exists(pk) OR #state = :deferred",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=item_to_wire({":deferred": State.DEFERRED.value}),
                )
        except Conflict:
            return False
        return True

    def get(self, shopper: str, moment_id: str) -> Message | None:
        item = self._item(shopper, moment_id)
        return message_of(item) if item else None

    def list(self, shopper: str, limit: int = 100) -> Sequence[Message]:
        found = query(
            self._messages,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": shopper, ":prefix": keys.MESSAGE},
        )
        newest = sorted(map(message_of, found), key=lambda message: (message.decided_at, message.moment_id), reverse=True)
        return newest[:limit]

    def claim(
        self,
        message: Message,
        contact: Contact,
        *,
        token: str,
        now: datetime,
        lease_until: datetime,
        takes_slot: bool,
        keep_slots_since: datetime,
        reservation: Reservation = NOTHING,
    ) -> None:
        change = self._change(message.shopper, message.moment_id, State.CLAIMED, now, "")
        change.set("token", to=token).set("lease_until", to=to_ms(lease_until))
        if takes_slot:
            change.set("slot", to=message.moment_id)
        change.when(f"{change.name('state')} = {change.value(State.PLANNED.value)}")
        slot = Slot(now, message.channel, message.kind, message.moment_id, message.campaign) if takes_slot else None
        if self._suppressed(message):
            raise Conflict("the address is suppressed", code="suppressed")
        entries = [
            ("Update", change.request()),
            ("Update", claim_place(self._contacts, contact, slot, keep_slots_since)),
        ]
        taken = take_reservation(self._offers, reservation)
        entries += [entry for entry, _ in taken]
        try:
            transact(entries, token=stable_id("claim", message.shopper, message.moment_id, token, str(to_ms(now))))
        except Cancelled as cancelled:
            raise _claim_conflict(cancelled.failed, [code for _, code in taken]) from cancelled

    def holds(self, shopper: str, moment_id: str, token: str) -> bool:
        item = self._item(shopper, moment_id)
        return item is not None and item["state"] == State.CLAIMED and item.get("token") == token

    def fence(self, message: Message, token: str, contact: Contact) -> bool:
        wanted = [
            (self._messages, keys.message(message.shopper, message.moment_id)),
            (self._contacts, keys.contact(contact.shopper)),
        ]
        if message.address:
            address = normalised(message.channel, message.address)
            wanted.append((self._suppressions, keys.suppression(message.channel, address)))
        claimed, standing, *suppressed = get_together(wanted)
        held = claimed is not None and claimed["state"] == State.CLAIMED and claimed.get("token") == token
        return held and (standing or {}).get("version", 0) == contact.version and not any(suppressed)

    def finish(
        self,
        message: Message,
        *,
        token: str,
        state: State,
        reason: str,
        now: datetime,
        provider_id: str = "",
        gives_slot_back: bool = False,
        returns: Reservation = NOTHING,
        not_before: datetime | None = None,
        tried: str = "",
    ) -> None:
        change = self._change(message.shopper, message.moment_id, state, now, reason).set("reason", to=reason)
        change.remove("lease_until", *(["slot"] if gives_slot_back else []))
        if provider_id:
            change.set("provider_id", to=provider_id)
        if not_before:
            change.set("not_before", to=to_ms(not_before))
        if tried:
            change.append("tried", tried)
        if state is State.PLANNED:
            change.set("released", to=token).remove("token")
        claimed, held = change.value(State.CLAIMED.value), change.value(token)
        change.when(f"{change.name('state')} = {claimed} AND {change.name('token')} = {held}")
        try:
            if gives_slot_back or returns.takes or returns.coupon:
                claimed_ms = self._claimed_ms(message) if gives_slot_back else None
                unique = stable_id("finish", token, message.moment_id, str(to_ms(now)))
                self._finish_with(message, change, claimed_ms, returns, unique)
            else:
                apply(change)
        except Conflict as conflict:
            if not self._was_finished(message, token, state):
                raise Conflict("another token holds the message", code="token_lost") from conflict
        if state is State.UNKNOWN:
            self._settle(message.shopper, message.moment_id, self._item(message.shopper, message.moment_id), now)

    def close(self, shopper: str, moment_id: str, *, state: State, reason: str, now: datetime) -> bool:
        change = self._change(shopper, moment_id, state, now, reason).set("reason", to=reason).remove("not_before")
        name, planned, deferred = change.name("state"), change.value("PLANNED"), change.value("DEFERRED")
        return applies(change.when(f"{name} = {planned} OR {name} = {deferred}"))

    def postpone(self, shopper: str, moment_id: str, *, not_before: datetime, reason: str, now: datetime) -> bool:
        change = self._change(shopper, moment_id, State.DEFERRED, now, reason).set("reason", to=reason)
        change.set("not_before", to=to_ms(not_before))
        return applies(change.when(f"{change.name('state')} = {change.value(State.PLANNED.value)}"))

    def mark(self, shopper: str, moment_id: str, *, mark: str, at: datetime, detail: str = "") -> bool:
        change = Change(self._messages, keys.message(shopper, moment_id)).set("marks", mark, to=to_ms(at))
        change.append("history", [to_ms(at), mark, detail])
        there, marked = change.name("pk"), change.name("marks", mark)
        change.when(f"attribute_exists({there}) AND attribute_not_exists({marked})")
        try:
            item, first = apply(change, returns="ALL_NEW"), True
        except Conflict as conflict:
            standing = self._item(shopper, moment_id)
            if standing is None:
                raise NotFound("no such message") from conflict
            item, first = standing, False
        self._settle(shopper, moment_id, item, at)
        return first

    def _change(self, shopper: str, moment_id: str, state: State, now: datetime, detail: str) -> Change:
        change = Change(self._messages, keys.message(shopper, moment_id)).set("state", to=state.value)
        return change.append("history", [to_ms(now), state.value, detail])

    def _finish_with(self, message: Message, change: Change, claimed_ms: int | None, returns: Reservation, token: str) -> None:
        """The state, the slot taken at `claimed_ms` and the reservation in one transaction. A slot that has moved is looked
        for; what is there no more (erased, faded, a coupon whose end has come) keeps nothing else from going back."""
        where = self._contacts, message.shopper, message.moment_id
        place = None if claimed_ms is None else return_place(*where, claimed_ms)
        for attempt in range(_FINISH_TRIES):
            entries: list[tuple[str, Request]] = [("Update", change.request())]
            entries += [("Update", place)] if place else []
            try:
                # Other entries are another request, which needs a token of its own.
                unique = stable_id(token, str(attempt)) if attempt else token
                _patiently([*entries, *return_reservation(self._offers, returns)], unique)
                return
            except Cancelled as cancelled:
                if 0 in cancelled.failed:
                    raise
                if returns.coupon and len(entries) in cancelled.failed:
                    returns = without_coupon(returns)
                if claimed_ms is not None and place and 1 in cancelled.failed:
                    place = moved_place(*where, claimed_ms)
        raise TryLater("what a message gives back keeps moving", code="busy")

    def _claimed_ms(self, message: Message) -> int | None:
        """When the newest claim of it was, which is when its slot was taken."""
        item = self._item(message.shopper, message.moment_id) or {}
        return next((int(at) for at, word, _ in reversed(item.get("history", ())) if word == State.CLAIMED), None)

    def _was_finished(self, message: Message, token: str, state: State) -> bool:
        item = self._item(message.shopper, message.moment_id) or {}
        if state is State.PLANNED:
            return item.get("released") == token
        settled = state is State.UNKNOWN and item.get("state") == State.SENT
        return item.get("token") == token and (item.get("state") == state or settled)

    def _settle(self, shopper: str, moment_id: str, item: Item | None, now: datetime) -> None:
        """UNKNOWN → SENT once any feedback shows that the provider had it."""
        if not item or item["state"] != State.UNKNOWN or not SETTLING_MARKS.intersection(item.get("marks", {})):
            return
        change = self._change(shopper, moment_id, State.SENT, now, "settled").set("reason", to="sent")
        applies(change.when(f"{change.name('state')} = {change.value(State.UNKNOWN.value)}"))

    def _suppressed(self, message: Message) -> bool:
        """A strong read, an eighth of what a condition in the transaction costs. One that is added after it is seen by the
        fence, which reads the suppression again right before the provider's call."""
        if not message.address:
            return False
        return (
            get(self._suppressions, keys.suppression(message.channel, normalised(message.channel, message.address))) is not None
        )

    def _item(self, shopper: str, moment_id: str) -> Item | None:
        return get(self._messages, keys.message(shopper, moment_id))


def _patiently(entries: Sequence[tuple[str, Request]], token: str) -> None:
    """What comes back may lie in a busy shard. A finish that gave up would leave the claim standing, to end UNKNOWN."""
    insist(lambda: transact(entries, token=token), rereads=False, doublings=_DOUBLINGS)


def _claim_conflict(failed: Sequence[int], taken: Sequence[str]) -> Conflict:
    """What ends the message comes before what only asks for another look."""
    return Conflict("the claim's conditions did not hold", code=(*_CLAIM_CODES, *taken)[min(failed)])
