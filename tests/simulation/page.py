"""`python -m tests.simulation.page`: puts the figures of .local/simulate.json and .local/mutants.json into docs/promises.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "promises.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
_NOT_COUNTS = ("says", "kept", "seconds", "worlds", "command")


def main(folder: Path = ROOT / ".local") -> int:
    """0 when the page was written; 2 when there are no figures."""
    measured = folder / "simulate.json"
    if not measured.exists():
        print(f"no {measured}: make simulate writes it", file=sys.stderr)
        return 2
    rows = [_row(name, figures) for name, figures in json.loads(measured.read_text("utf-8")).items() if name != "others"]
    mutants = folder / "mutants.json"
    if mutants.exists():
        verdicts = [entry["verdict"] for entry in json.loads(mutants.read_text("utf-8")).values()]
        rows.append(f"| planted bugs | {verdicts.count('caught')} of {len(verdicts)} caught |")
    at = datetime.fromtimestamp(measured.stat().st_mtime, UTC).date().isoformat()
    table = "\n".join([BEGIN, f"Measured on {at}.", "", "| promise | figures |", "| --- | --- |", *rows, END])
    text = PAGE.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(before + table + after, "utf-8")
    return 0


def _row(name: str, figures: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{_spelt(value)} {key}" for key, value in figures.items() if key not in _NOT_COUNTS)
    kept = "" if figures.get("kept", True) else "**BROKEN** "
    return f"| {kept}{figures.get('says', name)} | {counts} |"


def _spelt(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
