"""What the rehearsal shows: totals, and a line for each shopper and moment."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TextIO

from regulars.channels.content import Content
from regulars.clock import from_ms
from regulars.decisions import zones
from regulars.decisions.config import Place
from regulars.decisions.model import Message, State
from regulars.decisions.ports import Contacts
from regulars.decisions.reasons import sentence

OUTCOMES = {
    State.SENT: "sent",
    State.UNKNOWN: "sent",
    State.DEFERRED: "waits",
    State.PLANNED: "waits",
    State.CLAIMED: "waits",
    State.WITHHELD: "not sent",
    State.LAPSED: "not sent",
    State.FAILED: "not sent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One shopper and moment. `at`: when it is sent, or until when it waits, UTC; `local` the same on her clock, with its zone.

    `control`: "holdout" or the name of a control group that kept her out.
    """

    shopper: str
    kind: str
    campaign: str
    outcome: str
    channel: str
    at: str
    local: str
    reason: str
    why: str
    offer: str
    items: str
    control: str


def line_of(message: Message, contacts: Contacts, place: Place, refused: str = "") -> Line:
    """The line of a ledger entry; `refused` is the error that kept it from going further."""
    zone = zones.zones_of(contacts.load(message.shopper), place)[0]
    at = _instant(message)
    content = Content.from_wire(message.content)
    why = sentence(message.reason)
    return Line(
        shopper=message.shopper,
        kind=message.kind,
        campaign=message.campaign,
        outcome=OUTCOMES[message.state],
        channel=message.channel,
        at=at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else "",
        local=f"{at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}" if at else "",
        reason=message.reason,
        why=f"{why} ({refused})" if refused and message.state is not State.SENT else why,
        offer=" ".join(content.offer.values()),
        items=", ".join(item.title or item.item_id for item in content.items),
        control=message.arm if message.state is State.WITHHELD else "",
    )


def _instant(message: Message) -> datetime | None:
    if message.state is State.DEFERRED:
        return message.not_before
    sent = [at for at, word, _ in message.history if word == message.state.value]
    return from_ms(sent[-1]) if message.state in (State.SENT, State.UNKNOWN) and sent else None


def totals(lines: Sequence[Line], shoppers: int, names: Mapping[str, int]) -> dict[str, Any]:
    """Counts for reading and for JSON. `names`: further figures, such as spans and refusals."""
    sent = [line for line in lines if line.outcome == "sent"]
    return {
        "shoppers": shoppers,
        "moments": len(lines),
        **names,
        "outcomes": dict(Counter(line.outcome for line in lines)),
        "reached": len({line.shopper for line in sent}),
        "most_to_one": max(Counter(line.shopper for line in sent).values(), default=0),
        "channels": dict(Counter(line.channel for line in sent)),
        "kinds": dict(Counter(line.kind for line in sent)),
        "days": dict(sorted(Counter(line.local[:14] for line in sent).items(), key=lambda entry: entry[0][4:])),
        "local_hours": dict(sorted(Counter(line.local[15:17] for line in sent).items())),
        "why_not": dict(Counter(line.reason for line in lines if line.outcome == "not sent").most_common()),
        "why_later": dict(Counter(line.reason for line in lines if line.outcome == "waits").most_common()),
    }


def text(told: Mapping[str, Any], lines: Sequence[Line], show: int) -> str:
    """For people: totals first, then up to `show` lines of each outcome."""
    out = [
        f"{told['shoppers']} shoppers rehearsed, {told['moments']} moments, {told['reached']} shoppers reached, "
        f"at most {told['most_to_one']} to one",
        "Nothing was sent and nothing was written.",
    ]
    for heading, name in (
        ("outcome", "outcomes"),
        ("sent by channel", "channels"),
        ("sent by kind", "kinds"),
        ("sent by day on the shopper's calendar", "days"),
        ("sent by hour on the shopper's clock", "local_hours"),
    ):
        if told[name]:
            out += ["", heading, *(f"  {key:<28} {count:>8}" for key, count in told[name].items())]
    for heading, name in (("not sent, because", "why_not"), ("waits at the end, because", "why_later")):
        if told[name]:
            out += ["", heading, *(f"  {count:>8}  {sentence(code)}" for code, count in told[name].items())]
    for outcome in ("sent", "waits", "not sent"):
        some = [line for line in lines if line.outcome == outcome][:show]
        if some:
            out += ["", f"{outcome} (first {len(some)})", *map(_row, some)]
    if not lines:
        out += ["", "No moment comes up for these shoppers in this time."]
    return "\n".join(out)


def write_csv(lines: Iterable[Line], file: TextIO) -> None:
    """Every line, with a head."""
    writer = csv.DictWriter(file, [entry.name for entry in fields(Line)])
    writer.writeheader()
    writer.writerows(asdict(line) for line in lines)


def _row(line: Line) -> str:
    what = f"{line.kind}{'/' + line.campaign if line.campaign else ''}"
    if line.outcome == "sent":
        return f"  {line.local}  {line.channel:<6} {line.shopper}  {what}: {line.offer} {line.items}".rstrip()
    until = f" until {line.local}" if line.local else ""
    return f"  {line.shopper}  {what}{until}: {line.why}"
