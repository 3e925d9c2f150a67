"""The health of a channel: complaints and permanent bounces among its last marketing messages, and when that is too many.

Counted are marketing messages (those that took a place in the caps); SES looks at all mail, so diluting with order updates
would only hide what marketing does. What is counted comes from the ledger's stream: a step to SENT, a first mark `bounced`
(permanent ones only) or `complained`. Messages lie in buckets; a report counts in the bucket in which it arrives, and the
window slides by whole buckets. The open bucket and the one before remember what they counted, so that a batch of the stream
that comes again adds nothing.

Limits stand under those at which SES reviews an account (complaints 0.1 %, bounces 5 %: "Monitoring your sender reputation",
SES developer guide) and Gmail asks for (0.1 %, never 0.3 %: "Email sender guidelines").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from regulars.channels.config import Health
from regulars.decisions.model import Message, State
from regulars.ids import short_hash

COMPLAINTS, BOUNCES = "complaints", "bounces"
ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing counted. `id` names message and thing and is the same at every delivery."""

    id: bytes
    sent: int = 0
    bounced: int = 0
    complained: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    sent: int = 0
    bounced: int = 0
    complained: int = 0

    def __add__(self, other: Bucket | Tick) -> Bucket:
        return Bucket(self.sent + other.sent, self.bounced + other.bounced, self.complained + other.complained)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """`buckets`: newest last, the last one open. `seen`: ids counted in the open bucket; `seen_before`: in the one before."""

    channel: str
    version: int = 0
    buckets: tuple[Bucket, ...] = (Bucket(),)
    seen: frozenset[bytes] = frozenset()
    seen_before: frozenset[bytes] = frozenset()

    @property
    def total(self) -> Bucket:
        return sum(self.buckets, Bucket())


def ticks(old: Message | None, new: Message) -> list[Tick]:
    """What one step of the ledger adds to the health of `new.channel`."""
    if not new.slot:
        return []
    before = old.marks if old else {}
    found = []
    if new.state is State.SENT and not (old and old.state is State.SENT):
        found.append(Tick(_id(new, "sent"), sent=1))
    if "bounced" in new.marks and "bounced" not in before:
        found.append(Tick(_id(new, "bounced"), bounced=1))
    if "complained" in new.marks and "complained" not in before:
        found.append(Tick(_id(new, "complained"), complained=1))
    return found


def counted(gauge: Gauge, ticks: Iterable[Tick], config: Health) -> Gauge:
    """The gauge with what of `ticks` is new to it."""
    for tick in ticks:
        if tick.id in gauge.seen or tick.id in gauge.seen_before:
            continue
        if gauge.buckets[-1].sent >= config.bucket_sends and tick.sent:
            kept = -(-config.window_sends // config.bucket_sends)
            buckets = (*gauge.buckets, Bucket())[-kept:]
            gauge = replace(gauge, buckets=buckets, seen=frozenset(), seen_before=gauge.seen)
        buckets = (*gauge.buckets[:-1], gauge.buckets[-1] + tick)
        gauge = replace(gauge, buckets=buckets, seen=gauge.seen | {tick.id})
    return gauge


def too_many(gauge: Gauge, config: Health) -> tuple[str, str]:
    """(`complaints` or `bounces`, the figures) when the channel must stand still; ("", "") while it may go on.

    A share is of at least `least_sends` messages, and it takes at least so many reports: one complaint about the first fifty
    messages says little. Three complaints stop up to 3,750 messages: at a good shop's 0.01 % they come in 0.7 % of all shops'
    first 3,750 (Poisson, mean 0.375), at 0.3 % after 1,000 on average. A list of dead addresses is stopped by its 20th bounce.
    """
    total = gauge.total
    sends = max(total.sent, config.least_sends)
    if total.complained >= config.least_complaints and total.complained / sends >= config.complaint_share:
        return COMPLAINTS, f"{total.complained} complaints in {total.sent} messages"
    if total.bounced >= config.least_bounces and total.bounced / sends >= config.bounce_share:
        return BOUNCES, f"{total.bounced} permanent bounces in {total.sent} messages"
    return "", ""


def _id(message: Message, thing: str) -> bytes:
    return short_hash(message.shopper, message.moment_id, thing, size=ID_BYTES)
