"""UCI Online Retail II (Daqing Chen, CC BY 4.0) as the archive that capture would have written of it."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

from regulars.capture.model import Event
from regulars.storage import Storage

LINES = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_2" / "lines.parquet"
END = datetime(2011, 12, 10, tzinfo=UTC)
"""The day after its last invoice."""


def archive_orders(storage: Storage, since: datetime) -> int:
    """One object a day of the invoices since then: named buyers, no cancellations, items proper; how many lines."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lines = pq.read_table(LINES)
    proper = pc.match_substring_regex(lines["item"], r"^\d{5}")
    sold = pc.and_(pc.greater(lines["qty"], 0), pc.greater(lines["price"], 0))
    named = pc.and_(pc.is_valid(lines["user"]), pc.invert(pc.starts_with(lines["invoice"], "C")))
    late = pc.greater_equal(lines["ts"], since.replace(tzinfo=None))
    lines = lines.filter(pc.and_(pc.and_(proper, sold), pc.and_(named, late)))
    invoices: dict[tuple[str, str, datetime], list[str]] = defaultdict(list)
    for invoice, user, ts, item in zip(*(lines[name].to_pylist() for name in ("invoice", "user", "ts", "item")), strict=True):
        invoices[invoice, str(int(user)), ts.replace(tzinfo=UTC)].append(item.upper())
    days: dict[date, list[str]] = defaultdict(list)
    for (invoice, user, at), items in invoices.items():
        products = [{"product_id": item} for item in dict.fromkeys(items)]
        event = Event(
            message_id=f"{invoice}-{at:%H%M}",
            type="track",
            name="Order Completed",
            shopper=f"user:{user}",
            user_id=user,
            anonymous_id="",
            at=at,
            received_at=at,
            properties={"order_id": invoice, "products": products},
        )
        days[at.date()].append(json.dumps(event.to_wire()))
    for day, events in days.items():
        storage.put(f"archive/day={day.isoformat()}/0.jsonl.gz", gzip.compress("\n".join(events).encode(), 1))
    return len(lines)
