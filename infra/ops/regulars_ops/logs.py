"""Evaluation tables as interactions: what a row was, which session or basket it belongs to, and in which order rows came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.similarity.interactions import CART, KINDS, PURCHASE, VIEW, WISHLIST, Interactions
from regulars.similarity.protocols import DAY_MS, NEXT_BASKET, SESSION_PREFIX
from regulars_ops.tables import Table

_WORDS = {
    VIEW: ("view", "click", "detail", "visit", "see", "impression", "page"),
    WISHLIST: ("wish", "fav", "like", "save", "bookmark", "follow"),
    CART: ("cart", "basket", "bag", "add"),
    PURCHASE: ("purchase", "order", "buy", "bought", "transaction", "sale", "paid", "checkout", "rating", "review"),
}
"""What names of events mean, by the words in them; purchases are looked for first."""
_SESSION_GAP_MS = 30 * 60_000
_LONG_SPAN_DAYS = 20_000
Ints = NDArray[np.int64]


@dataclass(slots=True)
class Log:
    """`data` as the protocols want it; `notes` say what was assumed; `dated`: whether instants are dates."""

    data: Interactions
    notes: tuple[str, ...]
    dated: bool

    def used_up(self) -> Interactions:
        """The data, of which only the ids stay: whoever goes on needs the memory, 210 MB for ten million rows."""
        data = self.data
        self.data = data.where(np.zeros(len(data), dtype=bool))
        return data


def log_of(table: Table, protocol: str) -> Log:
    """The table's rows as interactions. In session-prefix each session is a shopper of its own, for nothing else may be known
    of it. Raises Invalid when sessions are needed and cannot be told."""
    notes = list(table.notes)
    kind = _kinds(table, protocol, notes)
    at = table.ts if table.dated else _stretched(table.ts, notes)
    group = _groups(table, at, protocol, notes)
    shopper = table.users
    shopper_ids: Sequence[str] = tuple(table.user_ids)
    if protocol == SESSION_PREFIX:
        shopper, shopper_ids = group, _session_names(table, group)
    order = np.lexsort((at, shopper))  # stable: equal instants keep the order of the file
    shopper, at = shopper[order], at[order]
    if protocol == SESSION_PREFIX:
        at = _one_by_one(shopper, at)
    # Narrow numbers: ten million rows take 210 MB.
    narrow: Any = (shopper, table.items[order], kind[order], at, group[order])
    owner, item, deed, instant, number = narrow
    data = Interactions(owner, item, deed, instant, number, shopper_ids, tuple(table.item_ids))
    return Log(data, tuple(notes), table.dated)


def _kinds(table: Table, protocol: str, notes: list[str]) -> NDArray[np.int8]:
    if table.events is None:
        only = VIEW if protocol == SESSION_PREFIX else PURCHASE
        return np.full(len(table), only, dtype=np.int8)
    of_name = np.array([kind_of(name) for name in table.event_names], dtype=np.int8)
    said = ", ".join(f"{name} as {KINDS[kind]}" for name, kind in zip(table.event_names, of_name.tolist(), strict=True))
    notes.append(f"events: {said}"[:300])
    kinds: NDArray[np.int8] = of_name[table.events]
    return kinds


def kind_of(name: str) -> int:
    """The kind of deed an event's name speaks of; a view when nothing is recognised."""
    words = re.sub(r"[^a-z]+", " ", name.lower())
    if "remove" in words or "refund" in words or "return" in words:
        return VIEW
    for kind in (PURCHASE, WISHLIST, CART, VIEW):
        if any(word in words for word in _WORDS[kind]) and not (kind == PURCHASE and "add" in words.split()):
            return kind
    return VIEW


def _stretched(order: Ints, notes: list[str]) -> Ints:
    """Order numbers as instants, a day a step (less where there are so many that the calendar would end)."""
    span = int(order.max() - order.min())
    step = DAY_MS if span <= _LONG_SPAN_DAYS else max(1, _LONG_SPAN_DAYS * DAY_MS // span)
    notes.append("ts counts steps: a step stands for a day" if step == DAY_MS else "ts is an order, not a date")
    return np.asarray((order - order.min()) * step, dtype=np.int64)


def _groups(table: Table, at: Ints, protocol: str, notes: list[str]) -> NDArray[np.int32]:
    if table.sessions is not None:
        return table.sessions
    if protocol == SESSION_PREFIX:
        if not table.dated:
            raise Invalid("session-prefix needs a column `session`, or dates to tell sessions by", field="session")
        notes.append("sessions: a pause of 30 minutes ends one")
        return _by_pause(table.users, at)
    if protocol == NEXT_BASKET:
        notes.append("baskets: a user's rows of one day")
    _, group = np.unique(table.users.astype(np.int64) * 2**32 + at // DAY_MS, return_inverse=True)
    return np.asarray(group, dtype=np.int32)


def _by_pause(users: NDArray[np.int32], at: Ints) -> NDArray[np.int32]:
    order = np.lexsort((at, users))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (np.diff(users[order]) != 0) | (np.diff(at[order]) > _SESSION_GAP_MS)
    group = np.empty(len(order), dtype=np.int32)
    group[order] = np.cumsum(begins) - 1
    return group


class SessionNames(Sequence[str]):
    """Sessions are named by their user, and numbered where a user has several. Made when they are asked for: of ten million
    lines there may be nearly as many, whose texts would take most of a gigabyte."""

    def __init__(self, users: Sequence[str], user: NDArray[np.int32], number: NDArray[np.int32]) -> None:
        """`user` and `number` (from 1) of each session; no user (-1) for one that is not in the log."""
        self._users, self._user, self._number = users, user, number

    def __len__(self) -> int:
        return len(self._user)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return SessionNames(self._users, self._user[index], self._number[index])
        user, number = int(self._user[index]), int(self._number[index])
        if user < 0:
            return ""
        return self._users[user] if number == 1 else f"{self._users[user]}/{number}"


def _session_names(table: Table, group: NDArray[np.int32]) -> SessionNames:
    """Numbered in the order in which they begin in the file."""
    sessions, first = np.unique(group, return_index=True)
    owner = table.users[first].astype(np.int32)
    order = np.lexsort((first, owner))
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = np.diff(owner[order]) != 0
    within = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    user, number = np.full(int(group.max()) + 1, -1, dtype=np.int32), np.zeros(int(group.max()) + 1, dtype=np.int32)
    user[sessions] = owner
    number[sessions[order]] = within + 1
    return SessionNames(table.user_ids, user, number)


def _one_by_one(shopper: NDArray[np.int32], at: Ints) -> Ints:
    """Instants made different within a session, a millisecond apart, so that the order of the file stays."""
    begins = np.ones(len(at), dtype=bool)
    begins[1:] = shopper[1:] != shopper[:-1]
    place = np.arange(len(at)) - np.maximum.accumulate(np.where(begins, np.arange(len(at)), 0))
    least = at - place
    # Largest of what came before, within the session: sessions are lifted apart so that one pass does.
    lift = np.cumsum(begins) * (int(at.max() - at.min()) + len(at) + 1)
    return np.asarray(np.maximum.accumulate(least + lift) - lift + place, dtype=np.int64)
