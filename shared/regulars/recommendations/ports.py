"""What a recommendation reads: two sequential round trips, whatever the scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Protocol

from regulars.profiles.model import Profile
from regulars.similarity.model import Pointer, Popularity
from regulars.similarity.packed import NumberedRow
from regulars.similarity.packing import Ranked
from regulars.values import value


@value(frozen=True, slots=True)
class Opening:
    """The first round trip: who asks, and what is the same for everybody (kept a few seconds in memory). `damaged` names what
    was there and could not be read; it is left out."""

    profile: Profile
    pointer: Pointer | None = None
    rules: Mapping[str, Any] | None = None
    popularity: Mapping[str, Popularity] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()


@value(frozen=True, slots=True)
class Row:
    """One item's neighbours by relation. Looking a relation up may raise GiveUp(broken_model): it is unpacked only then.
    `packed` is the same with numbers for ids (`regulars.similarity.packed`), where the source has it so."""

    relations: Mapping[str, Ranked]
    gap_days: float | None = None
    packed: NumberedRow | None = None


@value(frozen=True, slots=True)
class Neighbourhood:
    """The second round trip. `rules` is the document as it stands now, None when it was too large to be read every time (or
    there is none): then the opening's, a few seconds old at most, holds."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    popularity: Mapping[str, Popularity] = field(default_factory=dict)
    stock_outs: frozenset[str] = frozenset()
    rules: Mapping[str, Any] | None = None
    damaged: tuple[str, ...] = ()


class Sources(Protocol):
    def open(self, shopper: str, now: datetime) -> Opening:
        """One round trip; "" is nobody, and costs none while the common part is fresh. An anonymous shopper who has joined
        a user costs one more."""

    def neighbourhood(self, version: str, item_ids: Iterable[str], scopes: Iterable[str], now: datetime) -> Neighbourhood:
        """One round trip: rows of the version ("" for none), popularity of the scopes, live stock-outs."""


class RuleStore(Protocol):
    """The merchandising rules, one document."""

    def rules(self) -> Mapping[str, Any] | None:
        """The stored document, None before the first."""

    def put_rules(self, document: Mapping[str, Any]) -> None:
        """Replace it; readers see it within their few seconds of memory."""
