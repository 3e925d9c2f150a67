"""Index ⇄ bytes: a JSON header that names the parts, then the parts one after another, gzipped.

Numbers are little-endian, as both architectures of Lambda and of development machines are. Texts end with NUL, which no
text of the catalogue may hold. The header is read by name, so that a part may be added without a new format.
"""

from __future__ import annotations

import gzip
import json
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from regulars.errors import TryLater
from regulars.recommendations.search.completions import Completions, Text
from regulars.recommendations.search.index import Columns, Index

_FORMAT = "regulars-search-1"
_NUMBERS = ("starts", "docs", "impacts")
_COLUMNS = ("heat", "rating", "price", "listed", "category", "brand")
_TEXTS = ("ids", "terms", "categories", "brands")


def pack(index: Index) -> bytes:
    """The stored form; the same index gives the same bytes."""
    parts: dict[str, tuple[str, bytes]] = {name: ("texts", _joined(getattr(index, name))) for name in _TEXTS}
    for holder, names in ((index, _NUMBERS), (index.columns, _COLUMNS)):
        for name in names:
            column = getattr(holder, name)
            parts[name] = (column.typecode, column.tobytes())
    done = index.completions
    texts = [[text.text, text.kind, round(text.weight, 4), text.ref] for text in done.texts]
    parts["completion_texts"] = ("json", json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode())
    parts["completion_keys"] = ("texts", _joined(done.keys))
    parts["completion_owners"] = ("I", done.owners.tobytes())
    parts["completion_inner"] = ("B", done.inner.tobytes())
    header = {
        "format": _FORMAT,
        "version": index.version,
        "snapshot": index.snapshot,
        "forms": dict(index.forms),
        "averages": dict(index.averages),
        "parts": [[name, kind, len(body)] for name, (kind, body) in parts.items()],
    }
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    body = b"".join((len(head).to_bytes(8, "little"), head, *(body for _, body in parts.values())))
    return gzip.compress(body, 5, mtime=0)


def unpack(blob: bytes) -> Index:
    """Inverse of `pack`; raises TryLater(broken_search_index) for anything else."""
    try:
        return _unpacked(gzip.decompress(blob))
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise TryLater(f"unreadable search index: {error}"[:200], code="broken_search_index") from error


def _unpacked(body: bytes) -> Index:
    start = 8 + int.from_bytes(body[:8], "little")
    header = json.loads(body[8:start])
    if header["format"] != _FORMAT:
        raise ValueError(f"format {header['format']!r}")
    parts: dict[str, Any] = {}
    for name, kind, length in header["parts"]:
        parts[name] = _part(kind, body[start : start + length], length)
        start += length
    texts = [Text(*row) for row in parts["completion_texts"]]
    index = Index(version=header["version"], snapshot=header["snapshot"], forms=header["forms"], averages=header["averages"])
    for name in (*_TEXTS, *_NUMBERS):
        setattr(index, name, parts[name])
    index.columns = Columns(*(parts[name] for name in _COLUMNS))
    index.completions = Completions(texts, parts["completion_keys"], parts["completion_owners"], parts["completion_inner"])
    _check(index)
    return index


def _part(kind: str, body: bytes, length: int) -> Any:
    if len(body) != length:
        raise ValueError("cut short")
    if kind == "texts":
        return body.decode().split("\0")[:-1]
    if kind == "json":
        return json.loads(body)
    column: array[int] = array(kind)
    column.frombytes(body)
    return column


def _joined(texts: Sequence[str]) -> bytes:
    return "".join(f"{text}\0" for text in texts).encode()


def _check(index: Index) -> None:
    columns: Mapping[str, Any] = {name: getattr(index.columns, name) for name in _COLUMNS}
    if len(index.starts) != len(index.terms) + 1 or any(len(column) != len(index) for column in columns.values()):
        raise ValueError("parts do not fit one another")
