"""What the source does not have and the demonstration invents: contact data, consent, browsing, opens and clicks.

Everything is drawn from a seed and the shopper's number, so that two runs are alike. Browsing is put before real orders
(she looked before she bought) and, now and then, where no order followed (a cart left behind).
"""

from __future__ import annotations

import http.client
import random
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from regulars_demo.history import Invoice, order_call

ZONES = {
    "United Kingdom": ("Europe/London", "GB"), "EIRE": ("Europe/Dublin", "IE"), "Germany": ("Europe/Berlin", "DE"),
    "France": ("Europe/Paris", "FR"), "Netherlands": ("Europe/Amsterdam", "NL"), "Spain": ("Europe/Madrid", "ES"),
    "Switzerland": ("Europe/Zurich", "CH"), "Belgium": ("Europe/Brussels", "BE"), "Portugal": ("Europe/Lisbon", "PT"),
    "Australia": ("Australia/Sydney", "AU"), "Channel Islands": ("Europe/Jersey", "JE"), "Italy": ("Europe/Rome", "IT"),
    "Norway": ("Europe/Oslo", "NO"), "Sweden": ("Europe/Stockholm", "SE"), "Finland": ("Europe/Helsinki", "FI"),
    "Denmark": ("Europe/Copenhagen", "DK"), "Austria": ("Europe/Vienna", "AT"), "Japan": ("Asia/Tokyo", "JP"),
    "USA": ("America/New_York", "US"), "Singapore": ("Asia/Singapore", "SG"), "Poland": ("Europe/Warsaw", "PL"),
    "Greece": ("Europe/Athens", "GR"), "Cyprus": ("Asia/Nicosia", "CY"), "Hong Kong": ("Asia/Hong_Kong", "HK"),
    "United Arab Emirates": ("Asia/Dubai", "AE"), "Israel": ("Asia/Jerusalem", "IL"), "Malta": ("Europe/Malta", "MT"),
}  # fmt: skip
NAMES = ("Ada", "Ben", "Chloe", "Dan", "Ella", "Finn", "Grace", "Hugo", "Iris", "Jack", "Kate", "Leo", "Maya", "Noah", "Pia")


def identify_call(invoice: Invoice, device_arn: str) -> dict[str, Any]:
    """The shopper signs up an hour before her first order. Phones are Ofcom's drama numbers, mail goes to a reserved domain."""
    dice = random.Random(f"identify {invoice.user}")
    zone, country = ZONES.get(invoice.country, ("", ""))
    chinese = dice.random() < 0.1
    traits: dict[str, Any] = {
        "email": f"shopper-{invoice.user}@shop.example",
        "phone": f"+447700900{int(invoice.user) % 1000:03d}",
        "firstName": dice.choice(NAMES),
        "birthday": f"19{dice.randrange(60, 99)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}",
        "language": "zh" if chinese else "en",
        "consent": {
            "email": dice.random() < 0.85,
            "push": dice.random() < 0.4,
            "sms": dice.random() < 0.25,
            "inapp": dice.random() < 0.9,
        },
    }
    if zone:
        traits |= {"timezone": zone, "country": country}
    context: dict[str, Any] = {"locale": "zh-CN" if chinese else "en-GB"}
    if dice.random() < 0.5:
        context["device"] = {"token": f"{device_arn}/{invoice.user}", "type": dice.choice(("ios", "android"))}
    return {
        "type": "identify",
        "messageId": f"sim-identify-{invoice.user}",
        "userId": invoice.user,
        "timestamp": (invoice.at - timedelta(hours=1)).isoformat(),
        "traits": traits,
        "context": context,
    }


def browsing(invoices: Sequence[Invoice], share: float = 0.25) -> Iterator[dict[str, Any]]:
    """Views and cart additions: before a share of the real orders, and left behind after another share of them."""
    for invoice in invoices:
        if invoice.refund:
            continue
        dice = random.Random(f"browse {invoice.number}")
        items = [item for item, _, _ in invoice.lines]
        if dice.random() < share:
            started = invoice.at - timedelta(hours=dice.uniform(1, 20))
            yield from _session(invoice, started, dice, items, anonymous=dice.random() < 0.5, add=dice.random() < 0.5)
        if dice.random() < share / 2:
            later = invoice.at + timedelta(days=dice.uniform(4, 40))
            yield from _session(invoice, later, dice, items, anonymous=False, add=dice.random() < 0.6)


def _session(
    invoice: Invoice, started: datetime, dice: random.Random, items: list[str], *, anonymous: bool, add: bool
) -> Iterator[dict[str, Any]]:
    number = f"{invoice.number}-{int(started.timestamp())}"
    at = started
    head: dict[str, Any] = {"anonymousId": f"browser-{number}"} if anonymous else {"userId": invoice.user}
    for step, item in enumerate(dice.sample(items, min(len(items), dice.randrange(1, 4)))):
        at += timedelta(seconds=dice.randrange(20, 200))
        properties = {"product_id": item, "dwell_seconds": dice.randrange(5, 200), "scroll_depth": round(dice.random(), 2)}
        yield _track(head, f"sim-view-{number}-{step}", "Product Viewed", at, properties)
        if add and step == 0:
            yield _track(head, f"sim-add-{number}", "Product Added", at, {"product_id": item, "quantity": 1})
    if anonymous:
        yield {
            "type": "alias",
            "messageId": f"sim-alias-{number}",
            "userId": invoice.user,
            "previousId": head["anonymousId"],
            "timestamp": (at + timedelta(seconds=30)).isoformat(),
        }


def _track(head: dict[str, Any], message: str, event: str, at: datetime, properties: dict[str, Any]) -> dict[str, Any]:
    call = {"type": "track", "event": event, "messageId": message, "timestamp": at.isoformat(), "properties": properties}
    return {**head, **call}


def reads(message_id: str, opens: float = 0.45, clicks: float = 0.4) -> tuple[bool, bool]:
    """(opens the mail, clicks in it): drawn from the message's id, a click only after an open."""
    dice = random.Random(f"reads {message_id}")
    opened = dice.random() < opens
    return opened, opened and dice.random() < clicks


def calls(invoices: Sequence[Invoice], device_arn: str, in_time: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """Everything that was called: a sign-up before the first invoice of each shopper, the invoices, and of the browsing
    between them what is `in_time`."""
    known: set[str] = set()
    for invoice in invoices:
        if invoice.user not in known:
            known.add(invoice.user)
            yield identify_call(invoice, device_arn)
        yield order_call(invoice)
    yield from filter(in_time, browsing(invoices))


def follow(html: str, path: str) -> bool:
    """Fetch the first link of the mail whose address holds `path`, as a reader's program would; False when there is none."""
    found = re.search(rf'"(http://127\.0\.0\.1:[^"]*{path}[^"]*)"', html)
    if not found:
        return False
    parts = urlsplit(found.group(1))
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"User-Agent": "Mozilla/5.0 (simulated reader)"})
        return connection.getresponse().status < 400
    finally:
        connection.close()
