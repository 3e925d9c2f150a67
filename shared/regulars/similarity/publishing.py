"""The end of every build, on one machine or many: the report beside, then the pointer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.clock import to_ms
from regulars.similarity.model import Pointer
from regulars.similarity.ports import ModelStore
from regulars.storage import Storage


def version_of(at: datetime) -> str:
    """The version of a build that begins then; versions sort by time."""
    return f"{to_ms(at):013d}"


def kept(seen: Pointer | None) -> tuple[str, ...]:
    """Versions that a sweep leaves: the live one and the way back."""
    return (seen.version, seen.previous) if seen else ()


def go_live(
    models: ModelStore,
    storage: Storage,
    seen: Pointer | None,
    built_at: datetime,
    params: Mapping[str, Any],
    counts: Mapping[str, int],
) -> tuple[dict[str, Any], str]:
    """(the report, the version before): the version of `built_at` goes live. All its rows must be in. Raises Conflict when
    another build flipped the pointer since it was `seen`."""
    version = version_of(built_at)
    previous = "" if seen is None else seen.previous if seen.version == version else seen.version
    report = {"version": version, "built_at": built_at.isoformat(), "counts": dict(counts), "params": dict(params)}
    storage.put(f"builds/similarity/{version}.json", json.dumps(report).encode(), "application/json")
    models.flip(Pointer(version=version, built_at=built_at, previous=previous, params=params, counts=counts), seen)
    return report, previous
