"""What the local stack sent: e-mails as MiniStack's SES took them, SMS and push as the stub did.

MiniStack keeps mails at `/_ministack/ses/messages` (not the tags, so a mail's message id is read out of its own links);
in-app messages lie in the inbox table.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regulars.clock import from_ms
from regulars.ids import message_id, split_message_id

_OPEN_LINK = re.compile(r"/l/o/([A-Za-z0-9_-]+)")
_TOKEN_HEAD, _TOKEN_MAC = 7, 16
"""Bytes around the payload of a token (`regulars.signing`)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it left. `message_id`, `shopper` and `kind` are "" when it carries no id of ours."""

    id: str
    at: str
    channel: str
    to: str
    subject: str
    text: str
    html: str = ""
    url: str = ""
    image_url: str = ""
    message_id: str = ""
    shopper: str = ""
    kind: str = ""


def sent(endpoint_url: str, directory: Path) -> list[Sent]:
    """Everything sent, oldest first. `directory`: where the stub keeps its files."""
    every = [*emails(endpoint_url), *pushes(directory), *texts(directory)]
    return sorted(every, key=lambda entry: entry.at)


def emails(endpoint_url: str) -> Iterator[Sent]:
    """The mails MiniStack's SES accepted since it started."""
    with urllib.request.urlopen(f"{endpoint_url}/_ministack/ses/messages", timeout=10) as answer:
        accounts: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
    for mail in (mail for mails in accounts.values() for mail in mails):
        html = mail.get("BodyHtml") or ""
        yield Sent(
            id=mail["MessageId"],
            at=datetime.fromtimestamp(mail["Timestamp"], UTC).isoformat(),
            channel="email",
            to=", ".join(mail.get("To", ())),
            subject=mail.get("Subject", ""),
            text=mail.get("BodyText") or "",
            html=html,
            **_named(_id_in_links(html)),
        )


def pushes(directory: Path) -> Iterator[Sent]:
    """The push messages the stub took."""
    for entry in _lines(directory / "push.jsonl"):
        yield Sent(
            id=entry["id"],
            at=entry["at"],
            channel="push",
            to=entry["to"],
            subject=entry["title"],
            text=entry["body"],
            url=entry["url"],
            image_url=entry["image_url"],
            **_named(entry["message_id"]),
        )


def texts(directory: Path) -> Iterator[Sent]:
    """The SMS the stub took."""
    for entry in _lines(directory / "sms.jsonl"):
        yield Sent(
            id=entry["id"],
            at=entry["at"],
            channel="sms",
            to=entry["to"],
            subject="",
            text=entry["text"],
            **_named(entry["message_id"]),
        )


def popups(inbox_table: str) -> Iterator[Sent]:
    """The in-app messages of all shoppers; reads the stack that the AWS variables of this process point at."""
    from regulars.adapters.dynamodb.client import scan

    for item in scan(inbox_table):
        popup = item["content"]
        yield Sent(
            id=f"{item['pk']} {item['sk']}",
            at=from_ms(item["created"]).isoformat(),
            channel="inapp",
            to=item["pk"],
            subject=popup.get("title", ""),
            text=popup.get("body", ""),
            url=popup.get("url", ""),
            image_url=popup.get("image_url", ""),
            **_named(message_id(item["pk"], item["sk"])),
        )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            yield json.loads(line)


def _named(identity: str) -> dict[str, str]:
    """Shopper and kind out of a message id of ours."""
    if not identity:
        return {}
    shopper, moment_id = split_message_id(identity)
    return {"message_id": identity, "shopper": shopper, "kind": moment_id.partition("#")[0]}


def _id_in_links(html: str) -> str:
    """The message id in the mail's own open link, "" when there is none. Read, not verified: this is our own outbox."""
    found = _OPEN_LINK.search(html)
    if not found:
        return ""
    token = found.group(1)
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        shopper, moment_id, _ = raw[_TOKEN_HEAD:-_TOKEN_MAC].decode().split("\x1f")
    except (ValueError, binascii.Error):
        return ""
    return message_id(shopper, moment_id)
