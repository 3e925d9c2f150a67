"""Columns of an evaluation table: pyarrow arrays of any kind to compact numpy ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from regulars.errors import Invalid

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def text(column: Any, name: str) -> Any:
    """A column of ids as trimmed text; whole floats lose their point, NaN and empty text become null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_floating(kind):
        numbers = column.to_numpy(zero_copy_only=False).astype(np.float64)
        finite = np.isfinite(numbers)
        if np.array_equal(numbers[finite], np.rint(numbers[finite])):
            column = pa.array(np.where(finite, numbers, 0).astype(np.int64), mask=~finite)
        else:
            column = pa.array(numbers, mask=~finite)
    elif not (
        pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    ):
        try:
            return pc.cast(column, pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Invalid(f"{name} holds {kind}: ids are text or whole numbers", field=name) from error
    return pc.utf8_trim_whitespace(pc.cast(column, pa.large_string()))


def filled(column: Any) -> npt.NDArray[np.bool_]:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(pc.greater(pc.binary_length(column), 0), False))


def coded(column: Any, ids: dict[str, int]) -> Codes:
    """Codes of a batch's ids (null counts as ""), new ids added as they come."""
    encoded = column.fill_null("").dictionary_encode()
    table = np.fromiter((ids.setdefault(word, len(ids)) for word in encoded.dictionary.to_pylist()), np.int32)
    codes: Codes = table[np.asarray(encoded.indices)]
    return codes


def hashed(column: Any) -> npt.NDArray[np.int64]:
    """Session ids as 64-bit hashes: their text is not kept, ten million of them would be."""
    encoded = column.fill_null("").dictionary_encode()
    table = np.fromiter((hash(word) for word in encoded.dictionary.to_pylist()), np.int64)
    hashes: npt.NDArray[np.int64] = table[np.asarray(encoded.indices)]
    return hashes


def first_seen(parts: list[npt.NDArray[np.int64]]) -> Codes:
    """Codes by first appearance: hashes differ from process to process, codes must not."""
    hashes = np.concatenate(parts)
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    opens = np.ones(len(hashes), dtype=np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=opens[1:])
    del hashes
    first = order[opens]
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    codes = np.empty(len(order), dtype=np.int32)
    codes[order] = rank[np.cumsum(opens, dtype=np.int32) - 1]
    return codes


def number(column: Any, name: str) -> Floats:
    """float32; what is missing, no number or infinite is NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        encoded = pc.utf8_trim_whitespace(column).dictionary_encode()
        table = np.array([*map(_float, encoded.dictionary.to_pylist()), np.nan])
        return _finite(table[pc.fill_null(encoded.indices, len(table) - 1).to_numpy(zero_copy_only=False)])
    try:
        numbers = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Invalid(f"{name} holds {kind}, not numbers", field=name) from error
    return _finite(numbers)


def _finite(numbers: npt.NDArray[np.float64]) -> Floats:
    with np.errstate(over="ignore"):
        read: Floats = numbers.astype(np.float32)
    return np.where(np.isfinite(read), read, np.float32(np.nan))


def _float(word: str | None) -> float:
    try:
        return float(word) if word else np.nan
    except ValueError:
        return np.nan
