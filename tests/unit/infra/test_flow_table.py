"""The generated pages and their check."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.flow import FLOW, QUEUES, TABLES
from regulars_ops import flow_table


def test_every_function_table_and_queue_has_its_row() -> None:
    for entry in FLOW:
        assert f"[{entry.name}]({entry.name}/app.py)" in flow_table.functions_page()
    for noun in (*TABLES, *QUEUES):
        assert f"| **{noun}** |" in flow_table.flow_page()


def test_a_stale_page_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(flow_table, "ROOT", tmp_path)
    assert flow_table.main(["--check"]) == 1
    assert "stale: docs/flow.md" in capsys.readouterr().out
    assert flow_table.main([]) == 0
    assert flow_table.main(["--check"]) == 0
