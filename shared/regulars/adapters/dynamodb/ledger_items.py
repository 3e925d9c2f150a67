"""A ledger entry ↔ its item; also what the table's stream shows.

pk shopper   sk m#<moment id>
state, kind, subject, reason, channel, address, arm, correlation_id, provider_id, slot, token, campaign    text, "" left out
released            token of the last claim that was given back
decided_at, lapses_at, not_before, lease_until, occurred_at          epoch ms
content             deflated JSON: a message with four items stays within the 1 KB of one write unit; the moment's facts in
                    it under "moment"
deferrals           number, 0 left out
tried               list of channels, empty left out
marks               name → epoch ms
history             [[epoch ms, word, detail], …]
expires_at          epoch s, TTL: the end of retention, not of the moment
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.adapters.dynamodb import keys
from regulars.adapters.dynamodb.client import Item
from regulars.clock import from_ms, to_ms
from regulars.decisions.model import Message, State

_FACTS = "moment"
_TEXTS = (
    "kind",
    "subject",
    "reason",
    "channel",
    "address",
    "arm",
    "correlation_id",
    "provider_id",
    "slot",
    "token",
    "campaign",
)


def item_of(message: Message, retained_until: datetime) -> Item:
    """The item to put."""
    item: Item = {
        **keys.message(message.shopper, message.moment_id),
        "state": message.state.value,
        "decided_at": to_ms(message.decided_at),
        "lapses_at": to_ms(message.expires_at),
        "marks": dict(message.marks),
        "history": [list(step) for step in message.history],
        "expires_at": int(retained_until.timestamp()),
    }
    item |= {name: getattr(message, name) for name in _TEXTS if getattr(message, name)}
    for name in ("not_before", "lease_until", "occurred_at"):
        at = getattr(message, name)
        if at is not None:
            item[name] = to_ms(at)
    item |= {"deferrals": message.deferrals} if message.deferrals else {}
    item |= {"tried": list(message.tried)} if message.tried else {}
    if message.content or message.facts:
        told = {**message.content, _FACTS: dict(message.facts)} if message.facts else message.content
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        item["content"] = zlib.compress(text.encode(), 9)
    return item


def message_of(item: Mapping[str, Any]) -> Message:
    """The entry of an item, or of a stream's image (where a binary may be base64 text and numbers are decimals)."""
    content = _content(item.get("content"))
    return Message(
        shopper=str(item["pk"]),
        moment_id=str(item["sk"]).removeprefix(keys.MESSAGE),
        state=State(item["state"]),
        decided_at=from_ms(int(item["decided_at"])),
        expires_at=from_ms(int(item["lapses_at"])),
        not_before=_instant(item.get("not_before")),
        lease_until=_instant(item.get("lease_until")),
        occurred_at=_instant(item.get("occurred_at")),
        facts=content.pop(_FACTS, {}),
        content=content,
        deferrals=int(item.get("deferrals", 0)),
        tried=tuple(item.get("tried", ())),
        marks={name: int(at) for name, at in item.get("marks", {}).items()},
        history=tuple((int(at), str(word), str(detail)) for at, word, detail in item.get("history", ())),
        **{name: str(item.get(name, "")) for name in _TEXTS},
    )


def _instant(milliseconds: Any) -> datetime | None:
    return None if milliseconds is None else from_ms(int(milliseconds))


def _content(packed: Any) -> dict[str, Any]:
    if not packed:
        return {}
    raw = base64.b64decode(packed) if isinstance(packed, str) else bytes(packed)
    content: dict[str, Any] = json.loads(zlib.decompress(raw))
    return content
