"""A file of items as numbered rows: CSV with a header line, JSON lines, a JSON array, or `{"items": [...]}`.

Numbers are read as `Decimal`, never as float: 19.99 must be 1999 cents. A row that cannot be read is a `BadRow`, so that
its neighbours go in.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regulars.errors import Invalid

FORMATS = ("csv", "jsonl", "json")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not a record; `code` as in a report."""

    code: str
    message: str


Row = tuple[int, Mapping[str, Any] | BadRow]
"""Row number from 1 (the CSV header is not counted) and what stands there."""


def read_rows(body: bytes, file_format: str = "") -> Iterator[Row]:
    """The rows of `body`. Without `file_format` it is told by the first character: `[` JSON, `{` JSON lines, else CSV.

    Raises Invalid when the file as a whole is unreadable (unknown format, bad UTF-8 in CSV or JSON, no header).
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    chosen = file_format or _sniff(body)
    if chosen == "jsonl":
        return _json_lines(body)
    if chosen == "json":
        return _json_array(_text(body))
    if chosen == "csv":
        return _csv(_text(body))
    raise Invalid(f"unknown format {chosen!r}; known: {', '.join(FORMATS)}", field="format", code="unknown_format")


def _sniff(body: bytes) -> str:
    start = body[:4096].lstrip()
    if start.startswith(b"["):
        return "json"
    if not start.startswith(b"{"):
        return "csv"
    try:
        first = json.loads(body.lstrip().split(b"\n", 1)[0])
    except ValueError:
        # An object that runs over several lines, or a bad first line of many: only the former parses as one document.
        return "json" if _is_json(body) else "jsonl"
    return "json" if isinstance(first, dict) and isinstance(first.get("items"), list) else "jsonl"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"not valid UTF-8 at byte {error.start}", code="invalid_utf8") from error


def _json_lines(body: bytes) -> Iterator[Row]:
    number = 0
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        number += 1
        yield number, _record(line)


def _record(line: bytes) -> Mapping[str, Any] | BadRow:
    try:
        value = _parse(line.decode("utf-8"))
    except UnicodeDecodeError:
        return BadRow("invalid_utf8", "not valid UTF-8")
    except (ValueError, RecursionError) as error:
        return BadRow("invalid_json", f"not JSON: {error}"[:200])
    return value if isinstance(value, dict) else BadRow("not_an_object", "a row must be a JSON object")


def _json_array(text: str) -> Iterator[Row]:
    try:
        value = _parse(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"not JSON: {error}"[:200], code="invalid_json") from error
    entries = value
    if isinstance(value, dict):
        entries = value.get("items", [value])
    if not isinstance(entries, list):
        raise Invalid("expected a JSON array of items", code="not_an_array")
    for number, entry in enumerate(entries, 1):
        yield number, entry if isinstance(entry, dict) else BadRow("not_an_object", "a row must be a JSON object")


def _parse(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Invalid(f"unreadable CSV header: {error}", code="no_header") from error
    if len([name for name in header if name]) != len(set(header)):
        raise Invalid("the CSV header names a column twice or leaves one without a name", field="header", code="bad_header")
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            number += 1
            yield number, BadRow("invalid_csv", str(error)[:200])
            continue
        if cells is None:
            return
        if not cells:
            continue
        number += 1
        if len(cells) != len(header):
            yield number, BadRow("column_count", f"{len(cells)} cells under {len(header)} columns")
        else:
            yield number, dict(zip(header, cells, strict=True))
