"""Evaluation tables: one CSV or Parquet file `user, item, ts[, event, session, quantity, value, category]` as compact arrays.

Read batch by batch with pyarrow (extra `evaluate`); ids become int32 codes as they come, so that ten million lines stay
far below 2 GB. Ids are text; a Parquet column of whole numbers, also as floats with gaps, gives "12345", never "12345.0".
Rows without user, item or readable ts are left out and counted, never fatal; nothing is sorted: rows keep the file's order.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from regulars.errors import Invalid, Misconfigured, NotFound
from regulars_ops.table_columns import Codes, Floats, coded, filled, first_seen, hashed, number, text
from regulars_ops.table_times import Times

NEEDED = ("user", "item", "ts")
OPTIONAL = ("event", "session", "quantity", "value", "category")
_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1 << 18
_MOST_EVENTS = 127


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length n. `users` and `items` index `user_ids` and `item_ids`, `sessions` nothing (they only tell rows
    apart); codes follow first appearance. `ts` is milliseconds since 1970, or bare order when not `dated`. `categories` index
    `category_names`, "" where a row has none. `quantity` and `value` are NaN where the file has none. `left_out`: why → rows;
    `notes`: what was assumed, for people.
    """

    users: Codes
    items: Codes
    ts: npt.NDArray[np.int64]
    user_ids: list[str]
    item_ids: list[str]
    dated: bool = True
    events: npt.NDArray[np.int8] | None = None
    event_names: list[str] = field(default_factory=list)
    sessions: Codes | None = None
    quantity: Floats | None = None
    value: Floats | None = None
    categories: Codes | None = None
    category_names: list[str] = field(default_factory=list)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ts)


def read_table(path: Path | str, *, rename: Mapping[str, str] | None = None, show: bool = False) -> Table:
    """The table in `path`; `rename` maps our column names to the file's (`{"user": "household_id"}`), `show` draws a
    progress bar on stderr. Raises NotFound (no such file), Misconfigured (pyarrow missing) and Invalid: not CSV or Parquet,
    a needed column missing, no row left, unreadable text.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"{path}: no such file")
    if not path.stat().st_size:
        raise Invalid(f"{path} is empty")
    try:
        import pyarrow as pa
    except ImportError as error:
        raise Misconfigured("reading tables needs pyarrow: pip install 'regulars[evaluate]'") from error
    gathering = _Gathering()
    try:
        total, batches = _batches(path, dict(rename or {}), gathering.left_out)
        with tqdm(total=total, unit="row", unit_scale=True, desc=path.name, disable=not show) as bar:
            for batch in batches:
                gathering.add(batch)
                bar.update(len(batch["ts"]))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError) as error:
        raise Invalid(f"{path} cannot be read: {str(error).splitlines()[0][:200]}") from error
    return gathering.finish(path)


def _batches(path: Path, rename: Mapping[str, str], left_out: dict[str, int]) -> tuple[int | None, Iterator[dict[str, Any]]]:
    """(number of rows if known, one mapping of our names to pyarrow arrays a batch)."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        import pyarrow.parquet as pq

        whole = pq.ParquetFile(path)
        wanted = _wanted(whole.schema_arrow.names, rename, path)
        read = whole.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted.values()))
        return whole.metadata.num_rows, ({ours: batch.column(theirs) for ours, theirs in wanted.items()} for batch in read)
    return None, _csv_batches(path, rename, left_out)


def _csv_batches(path: Path, rename: Mapping[str, str], left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Text columns as text, so that ids keep their zeros; a row with too few or many cells is left out."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names, delimiter = _header(path)
    wanted = _wanted(names, rename, path)

    def skip(row: Any) -> str:
        left_out["cells missing or too many"] = left_out.get("cells missing or too many", 0) + 1
        return "skip"

    with (
        pa.input_stream(str(path), compression="detect") as stream,
        arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(block_size=_BATCH_BYTES, column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(wanted.values()),
                column_types=dict.fromkeys(wanted.values(), pa.string()),
                null_values=["", "NaN", "nan", "NULL", "null"],
                strings_can_be_null=True,
            ),
        ) as reader,
    ):
        for batch in reader:
            yield {ours: batch.column(theirs) for ours, theirs in wanted.items()}


def _header(path: Path) -> tuple[list[str], str]:
    """Column names and the delimiter, which is whatever of , ; tab | the first line has most of."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            line = file.readline(1 << 16)
            # Arrow's reader of a file without rows leaves a thread behind that may abort the process at its end.
            has_rows = any(row.strip() for row in file)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is neither Parquet nor UTF-8 text") from error
    delimiter = max(",;\t|", key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    if len(set(names)) < len(names):
        raise Invalid(f"{path} names a column twice: {', '.join(names)}"[:200])
    if not has_rows:
        raise Invalid(f"{path} has a header and no rows")
    return names, delimiter


def _wanted(names: Iterable[str], rename: Mapping[str, str], path: Path) -> dict[str, str]:
    """Our column names → the file's, in any case of letters; raises Invalid for a needed one that is missing."""
    folded = {name.strip().lower(): name for name in names}
    strange = set(rename) - {*NEEDED, *OPTIONAL}
    if strange:
        raise Invalid(f"no column is called {', '.join(sorted(strange))}: {', '.join((*NEEDED, *OPTIONAL))}")
    found = {ours: folded.get(rename.get(ours, ours).strip().lower()) for ours in (*NEEDED, *OPTIONAL)}
    missing = [ours for ours in (*NEEDED, *rename) if found[ours] is None]
    if missing:
        raise Invalid(
            f"{path} has no column {', '.join(rename.get(m, m) for m in dict.fromkeys(missing))};"
            f" it has {', '.join(folded.values()) or 'none'}"[:300],
            field=missing[0],
        )
    return {ours: theirs for ours, theirs in found.items() if theirs is not None}


class _Gathering:
    """What has been read so far."""

    def __init__(self) -> None:
        self.left_out: dict[str, int] = {}
        self._ids: dict[str, dict[str, int]] = {"user": {}, "item": {}, "event": {}, "category": {}}
        self._codes: dict[str, list[Codes]] = {"user": [], "item": [], "event": [], "category": []}
        self._sessions: list[npt.NDArray[np.int64]] = []
        self._numbers: dict[str, list[Floats]] = {"quantity": [], "value": []}
        self._times = Times()
        self._columns: set[str] = set()

    def add(self, batch: Mapping[str, Any]) -> None:
        self._columns |= set(batch)
        texts = {name: text(batch[name], name) for name in (*self._ids, "session") if name in batch}
        timed = self._times.add(batch["ts"])
        with_user, with_item = (filled(texts[name]) for name in ("user", "item"))
        for why, lost in (
            ("no user", ~with_user),
            ("no item", with_user & ~with_item),
            ("no readable ts", with_user & with_item & ~timed),
        ):
            if lost.any():
                self.left_out[why] = self.left_out.get(why, 0) + int(lost.sum())
        keep = with_user & with_item & timed
        self._times.keep_last(keep[timed])
        chosen = np.flatnonzero(keep)
        for name in self._ids:
            if name in texts:
                self._codes[name].append(coded(texts[name].take(chosen), self._ids[name]))
        if len(self._ids["event"]) > _MOST_EVENTS:
            raise Invalid(f"more than {_MOST_EVENTS} kinds of event: is the column `event` the kind of deed?", field="event")
        if "session" in texts:
            self._sessions.append(hashed(texts["session"].take(chosen)))
        for name, parts in self._numbers.items():
            if name in batch:
                parts.append(number(batch[name], name)[keep])

    def finish(self, path: Path) -> Table:
        """The columns, each joined and its parts let go before the next."""
        if not self._codes["user"] and not self.left_out:
            raise Invalid(f"{path} has a header and no rows")
        lost = ", ".join(f"{rows:,} rows with {why}" for why, rows in self.left_out.items())
        if not sum(map(len, self._codes["user"])):
            if set(self.left_out) <= {"no readable ts"}:
                self._times.finish()
            raise Invalid(f"{path} has no usable row: {lost}")
        ts, dated, assumed = self._times.finish()
        notes = [assumed]
        if lost:
            notes.append(f"left out: {lost}")
        events = _joined(self._codes, "event") if "event" in self._columns else None
        return Table(
            users=_joined(self._codes, "user"),
            items=_joined(self._codes, "item"),
            ts=ts,
            user_ids=list(self._ids["user"]),
            item_ids=list(self._ids["item"]),
            dated=dated,
            events=None if events is None else events.astype(np.int8),
            event_names=list(self._ids["event"]),
            sessions=first_seen(self._sessions) if self._sessions else None,
            quantity=_joined(self._numbers, "quantity") if self._numbers["quantity"] else None,
            value=_joined(self._numbers, "value") if self._numbers["value"] else None,
            categories=_joined(self._codes, "category") if "category" in self._columns else None,
            category_names=list(self._ids["category"]),
            left_out=dict(self.left_out),
            notes=tuple(notes),
        )


def _joined(parts: dict[str, list[Any]], name: str) -> Any:
    return np.concatenate(parts.pop(name))
