"""Bulk and incremental import: every row is judged alone, accepted rows go in, and the report says what happened to each.

Within one file the first row of an id stands; a later row with the same content is counted as repeated, one with other
content is refused (`duplicate_id`), since nothing says which is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from regulars.catalogue.config import CatalogueSettings
from regulars.catalogue.model import Item, with_list_price
from regulars.catalogue.ports import Catalogue
from regulars.catalogue.rows import Row, read_rows
from regulars.catalogue.validation import Violation, check_new, validate
from regulars.clock import Clock

_CHUNK = 100
"""Known items are read a hundred at a time: one BatchGetItem."""


@dataclass(slots=True)
class Report:
    """Counts of one import. `rows` = created + updated + unchanged + repeated + refused."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    refused: int = 0
    violations: list[Violation] = field(default_factory=list)
    violations_total: int = 0
    ignored_fields: set[str] = field(default_factory=set)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "ignored_fields": sorted(self.ignored_fields)}


Changed = Callable[[Sequence[Item]], None]
"""Told of all stored items after an import (the snapshot is refreshed there)."""


@dataclass(frozen=True, slots=True)
class Importer:
    """The import use case; give `progress` to be told after every hundred rows how many were read."""

    catalogue: Catalogue
    settings: CatalogueSettings
    clock: Clock
    changed: Changed | None = None

    def import_file(self, body: bytes, file_format: str = "", progress: Callable[[int], None] | None = None) -> Report:
        """The rows of a CSV, JSON lines or JSON file; raises Invalid only when the file as a whole is unreadable."""
        return self.import_rows(read_rows(body, file_format), progress)

    def import_rows(self, rows: Iterable[Row], progress: Callable[[int], None] | None = None) -> Report:
        """As `import_file`, of rows already read."""
        report = Report()
        seen: dict[str, tuple[int, Mapping[str, Any]]] = {}
        chunk: list[tuple[int, dict[str, Any]]] = []
        stored: list[Item] = []
        for number, record in rows:
            report.rows += 1
            changes, wrong, unknown = validate(number, record, self.settings)
            report.ignored_fields |= unknown
            if not wrong and changes["item_id"] in seen:
                first, content = seen[changes["item_id"]]
                if content == changes:
                    report.repeated += 1
                    continue
                wrong = [Violation(number, "item_id", "duplicate_id", f"row {first} has this id with other content")]
            if wrong:
                self._refuse(report, wrong)
                continue
            seen[changes["item_id"]] = (number, changes)
            chunk.append((number, changes))
            if len(chunk) == _CHUNK:
                stored += self._store(chunk, report)
                chunk = []
                if progress:
                    progress(report.rows)
        stored += self._store(chunk, report)
        if progress:
            progress(report.rows)
        if stored and self.changed:
            self.changed(stored)
        return report

    def _store(self, chunk: list[tuple[int, dict[str, Any]]], report: Report) -> list[Item]:
        known = self.catalogue.get([changes["item_id"] for _, changes in chunk]) if chunk else {}
        items: list[Item] = []
        for number, changes in chunk:
            before = known.get(changes["item_id"])
            missing = [] if before else check_new(number, changes)
            if missing:
                self._refuse(report, missing)
                continue
            after = self._merged(before, changes)
            if after == before:
                report.unchanged += 1
                continue
            report.created += before is None
            report.updated += before is not None
            items.append(after)
        if items:
            self.catalogue.put(items, at=self.clock())
        return items

    def _merged(self, before: Item | None, changes: Mapping[str, Any]) -> Item:
        """The item after the row. Where there was no discount, a new price alone makes none."""
        if before is None:
            return with_list_price(Item(**{"currency": self.settings.currency, "listed_at": self.clock(), **changes}))
        merged = {**changes, "attributes": {**before.attributes, **changes.get("attributes", {})}}
        if "price_cents" in changes and before.list_price_cents == before.price_cents:
            merged.setdefault("list_price_cents", changes["price_cents"])
        return with_list_price(replace(before, **merged))

    def _refuse(self, report: Report, wrong: Sequence[Violation]) -> None:
        report.refused += 1
        report.violations_total += len(wrong)
        room = self.settings.max_violations - len(report.violations)
        report.violations.extend(wrong[: max(0, room)])
