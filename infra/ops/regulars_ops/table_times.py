"""The `ts` column of an evaluation table: ISO text, dates, datetimes, epoch numbers or plain order numbers become int64.

What a column of numbers means is guessed from its middle value, once the whole column is known, and always said: compact
dates (20111231), epoch seconds, milliseconds, microseconds or nanoseconds, else order numbers that only say what came first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from regulars.errors import Invalid

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOWEST_EPOCH_SECONDS = 10**8  # 1973: smaller numbers are no dates of shopping
_UNITS = (
    ("seconds", 10**11, 1000, 1),
    ("milliseconds", 10**14, 1, 1),
    ("microseconds", 10**17, 1, 10**3),
    ("nanoseconds", 10**20, 1, 10**6),
)  # name, below this, times, divided by
_KEPT_EXACT = 2**53
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]


class Times:
    """Collects one batch after another; `finish()` gives int64 and what they are."""

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._dated: bool | None = None
        self._example = ""

    def add(self, column: Any) -> npt.NDArray[np.bool_]:
        """Reads one batch (a pyarrow Array); returns which rows have a time. Kept times are those rows' only."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return self._keep(pc.cast(column, pa.timestamp("ms", getattr(kind, "tz", None)), safe=False), dated=True)
        if pa.types.is_integer(kind):
            return self._keep(column, dated=False)
        if pa.types.is_floating(kind):
            return self._keep(pc.cast(column, pa.float64()), dated=False)
        if pa.types.is_null(kind):
            return np.zeros(len(column), dtype=np.bool_)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return self._text(column)
        raise Invalid(f"ts holds {kind}: dates, datetimes, ISO text or numbers are understood", field="ts")

    def _text(self, column: Any) -> npt.NDArray[np.bool_]:
        """Text is numbers or dates by what its first readable value was; the rest must be the same to count."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = pc.utf8_trim_whitespace(column)
        if self._dated is not True:
            try:
                return self._keep(pc.cast(column, pa.int64()), dated=False)
            except pa.ArrowInvalid:
                pass
        if self._dated is not False:
            try:
                return self._keep(pc.cast(pc.cast(column, pa.timestamp("us")), pa.timestamp("ms"), safe=False), dated=True)
            except pa.ArrowInvalid:  # some row is no date, or names a zone: read word by word
                pass
        encoded = column.dictionary_encode()
        words = encoded.dictionary.to_pylist()
        if self._dated is None:
            self._dated = next((seen for seen in map(_is_dated, words) if seen is not None), None)
        read: Callable[[str], float | None] = _from_iso if self._dated else _from_number
        values = [read(word) if word else None for word in words]
        self._example = self._example or next((w for w, v in zip(words, values, strict=True) if v is None and w), "")
        whole = self._dated or all(v is None or v.is_integer() for v in values)
        table = pa.array([None if v is None else int(v) if whole else v for v in values], pa.int64() if whole else pa.float64())
        return self._keep(table.take(encoded.indices), dated=bool(self._dated))

    def _keep(self, column: Any, *, dated: bool) -> npt.NDArray[np.bool_]:
        import pyarrow as pa
        import pyarrow.compute as pc

        valid = np.asarray(column.is_valid())
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        filled = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
        if filled.dtype == np.float64:
            valid &= np.isfinite(filled)
        elif filled.dtype != np.int64:
            filled = filled.astype(np.int64)
        if valid.any():
            self._dated = dated
            self._parts.append(filled[valid])
        return valid

    def keep_last(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drops rows of the batch just added (`mask` over its kept rows)."""
        if self._parts and len(self._parts[-1]) == len(mask):
            self._parts[-1] = self._parts[-1][mask]

    def finish(self) -> tuple[npt.NDArray[np.int64], bool, str]:
        """(ts, are they times, what was assumed). Raises Invalid when nothing could be read."""
        if not self._parts:
            seen = f", for example {self._example!r}" if self._example else ""
            raise Invalid(f"no row has a readable ts{seen}: ISO dates or times, epoch or order numbers", field="ts")
        whole: Numbers = np.concatenate(self._parts)
        self._parts = []
        if self._dated:
            return whole.astype(np.int64, copy=False), True, "ts: dates and times; where they name no zone, UTC"
        return _numbers(whole)


def _numbers(values: Numbers) -> tuple[npt.NDArray[np.int64], bool, str]:
    middle = float(np.median(np.abs(values)))
    dates = _compact_dates(values)
    if dates is not None:
        return dates, True, "ts: numbers read as dates YYYYMMDD"
    if middle >= _LOWEST_EPOCH_SECONDS:
        for name, below, times, divisor in _UNITS:
            if middle < below:
                return (values * times // divisor).astype(np.int64), True, f"ts: numbers read as {name} since 1970"
    if values.dtype == np.float64 and not np.all(values == np.rint(values)):
        scale = 1000 if np.abs(values).max() < _KEPT_EXACT / 1000 else 1
        return np.rint(values * scale).astype(np.int64), False, f"ts: order numbers, times {scale}; they tell no dates"
    return values.astype(np.int64), False, "ts: order numbers; they tell no dates"


def _compact_dates(values: Numbers) -> npt.NDArray[np.int64] | None:
    """YYYYMMDD numbers as milliseconds, None when any of them is no date between 1900 and 2099."""
    low, high = float(values.min()), float(values.max())
    if low < 19_000_101 or high > 20_991_231:
        return None
    distinct, where = np.unique(values, return_inverse=True)
    if len(distinct) > 100_000:
        return None
    try:
        read = [datetime.strptime(f"{int(v)}", "%Y%m%d").replace(tzinfo=UTC) for v in distinct if v == int(v)]
    except ValueError:
        return None
    if len(read) < len(distinct):
        return None
    return np.array([_ms(moment) for moment in read], dtype=np.int64)[where]


def _is_dated(word: str | None) -> bool | None:
    """True for a date, False for a number, None for neither."""
    if not word:
        return None
    if _from_number(word) is not None:
        return False
    return True if _from_iso(word) is not None else None


def _from_number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _from_iso(word: str) -> float | None:
    """ISO 8601 to whole milliseconds since 1970; no zone means UTC."""
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        return None
    return float(_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))


def _ms(moment: datetime) -> int:
    passed = moment - _EPOCH
    return passed.days * DAY_MS + passed.seconds * 1000 + passed.microseconds // 1000


def day_ms(text: str) -> int:
    """A date or time of the command line (`--cut 2011-11-01`) as milliseconds; raises Invalid."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no date: YYYY-MM-DD", field="cut") from error
    return _ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def iso_day(ms: int) -> str:
    """The UTC day of a time, for reports."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + ms // DAY_MS).isoformat()
