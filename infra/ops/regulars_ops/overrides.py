"""The operator's overrides out of a file instead of the data bucket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regulars.errors import Invalid
from regulars.shop import parse_yaml


def overrides_of(file: Path | None) -> Mapping[str, Any]:
    """What a shop.yaml overrides; nothing without a file. Raises Invalid for a file that is absent or not YAML."""
    if file is None:
        return {}
    if not file.is_file():
        raise Invalid(f"{file}: no such file")
    document = parse_yaml(file.read_text("utf-8"))
    return document if isinstance(document, Mapping) else {}
