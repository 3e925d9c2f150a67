"""Values that are made at every call: frozen to the type checker, ordinary dataclasses when running.

A frozen dataclass sets its fields one by one by `object.__setattr__`, which takes three times as long. Nobody sets a field
that mypy refuses to, so what is checked need not be guarded ("Zero-overhead frozen attrs classes", threeofwands.com).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["value"]

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, **options: bool):
        """As `dataclass(frozen=True, …)`, hashed as that would be."""
        return dataclass(unsafe_hash=frozen, **options)
