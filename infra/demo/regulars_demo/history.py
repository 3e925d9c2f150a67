"""The sample as Segment e-commerce calls, in time order. Everything here is real data; see sample/NOTICE.md."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SAMPLE = Path(__file__).resolve().parents[1] / "sample"
SHOP_ZONE = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Invoice:
    """One order, or one credit note (`refund`), with its lines as (item, quantity, unit price in pounds)."""

    number: str
    at: datetime
    user: str
    country: str
    lines: tuple[tuple[str, int, float], ...]

    @property
    def refund(self) -> bool:
        return self.number.startswith("C")

    @property
    def total(self) -> float:
        return round(sum(abs(quantity) * price for _, quantity, price in self.lines), 2)


def invoices(path: Path = SAMPLE / "orders.csv.gz") -> list[Invoice]:
    """All invoices, oldest first; the source's times are the shop's wall time."""
    lines: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    heads: dict[str, tuple[datetime, str, str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["ts"]).replace(tzinfo=SHOP_ZONE).astimezone(UTC)
            heads.setdefault(row["invoice"], (at, row["user"], row["country"]))
            lines[row["invoice"]].append((row["item"], int(row["qty"]), float(row["price"])))
    found = [Invoice(number, *heads[number], tuple(lines[number])) for number in heads]
    return sorted(found, key=lambda invoice: (invoice.at, invoice.number))


def catalogue(path: Path = SAMPLE / "catalogue.jsonl.gz") -> Iterator[dict[str, Any]]:
    """The catalogue's rows as the import takes them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def order_call(invoice: Invoice) -> dict[str, Any]:
    """`Order Completed`, or `Order Refunded` for a credit note (Segment e-commerce spec v2)."""
    return {
        "type": "track",
        "event": "Order Refunded" if invoice.refund else "Order Completed",
        "messageId": f"orii-{invoice.number}",
        "userId": invoice.user,
        "timestamp": invoice.at.isoformat(),
        "properties": {
            "order_id": invoice.number,
            "total": invoice.total,
            "currency": "GBP",
            "products": [
                {"product_id": item, "quantity": abs(quantity), "price": price}
                for item, quantity, price in invoice.lines
                if quantity
            ],
        },
    }
