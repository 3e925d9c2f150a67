"""The planted bugs of `planted.yaml`."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.mutants.mutant import Mutant


def load() -> tuple[Mutant, ...]:
    """In the order of the page."""
    entries = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return tuple(Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries)


MUTANTS = load()
