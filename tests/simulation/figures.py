"""Where the long forms write what they measured, so that the page of promises can be checked against it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FILE = "REGULARS_FIGURES"


def tell(promise: str, **figures: Any) -> None:
    """Keep the figures of one promise; nothing where nobody asked (the environment names no file)."""
    path = os.environ.get(FILE)
    if path:
        known = json.loads(Path(path).read_text("utf-8")) if Path(path).exists() else {}
        known[promise] = figures
        Path(path).write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
