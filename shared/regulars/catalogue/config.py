"""The catalogue's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSettings:
    """See defaults.yaml. `category_aliases` maps normalised categories to the shop's standard ones."""

    currency: str
    max_title_chars: int
    max_attributes: int
    max_violations: int
    snapshot_check_seconds: int
    category_aliases: Mapping[str, str] = field(default_factory=dict)
