"""Pages generated from flow.py are what flow.py says."""

from __future__ import annotations

from regulars_ops import flow_table


def test_generated_pages_are_current() -> None:
    stale = [str(path) for path, text in flow_table.pages().items() if path.read_text("utf-8") != text]
    assert stale == [], "run `make docs`"
