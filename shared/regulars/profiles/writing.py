"""What capture and the sweep need of the place where profiles lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from regulars.profiles.orders import OrderRecord
from regulars.profiles.record import Record
from regulars.values import value


@value(frozen=True, slots=True)
class Stored:
    """All that is kept of one shopper. `aliases`: the anonymous shoppers who joined."""

    record: Record
    orders: tuple[OrderRecord, ...] = ()
    aliases: frozenset[str] = frozenset()


class ProfileStore(Protocol):
    def load(self, shopper: str) -> Record:
        """The record, strongly consistent; an empty one of version 0 for an unknown shopper."""

    def save(self, record: Record, merged: Sequence[Record] = ()) -> None:
        """Replace the record if its version still stands; the stored version is one higher.

        `merged`: tombstones of anonymous shoppers who join this one, in the same transaction and each on its own version,
        together with the note that they did. Raises Conflict, and nothing changes, when somebody else was first.
        """

    def join_orders(self, shopper: str, orders: Iterable[OrderRecord]) -> None:
        """Join each to what is kept of the order (`regulars.profiles.orders.joined`); repeating it changes nothing."""

    def orders(self, shopper: str) -> Sequence[OrderRecord]:
        """Strongly consistent, in no promised order."""

    def everything(self, shopper: str) -> Stored:
        """Record, orders and aliases, in one round trip; may lag behind a write by a second."""

    def erased(self, shopper: str, now: datetime) -> bool:
        """Whether the shopper was erased, and nothing may be kept of her yet; strongly consistent."""

    def scan(self) -> Iterator[Stored]:
        """Everybody, page by page; the sweep only. Tombstones are left out."""
