"""`regulars import`: rows in calls, a header on every one, refusals counted by row and told with the file's own numbers."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from regulars.errors import Invalid
from regulars_ops import work
from regulars_ops.stack import Stack


def run(monkeypatch: pytest.MonkeyPatch, file: Path, what: str, answers: list[Any]) -> tuple[int, list[tuple[str, str, str]]]:
    """(exit code, the calls as (path, body, content type))."""
    calls: list[tuple[str, str, str]] = []

    def post(api_url: str, key: str, path: str, body: bytes, content_type: str) -> Any:
        calls.append((path, body.decode(), content_type))
        return answers[len(calls) - 1]

    monkeypatch.setattr(work, "_post", post)
    code = work.import_file(Stack("regulars", "http://127.0.0.1:1"), argparse.Namespace(what=what, file=file, key="k"))
    return code, calls


def test_csv_keeps_its_header_in_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    file = tmp_path / "items.csv.gz"
    rows = [f"i{n},Cup" for n in range(501)]
    file.write_bytes(gzip.compress("\n".join(["item_id,title", *rows]).encode()))
    wrong = [{"row": 1, "code": "a", "field": "price"}, {"row": 1, "code": "b", "field": "stock"}]
    code, calls = run(monkeypatch, file, "catalogue", [{"violations": []}, {"violations": wrong}])
    assert code == 1
    assert [body.splitlines()[0] for _, body, _ in calls] == ["item_id,title"] * 2
    assert [len(body.splitlines()) for _, body, _ in calls] == [501, 2]
    assert {kind for _, _, kind in calls} == {"text/csv"}
    said = capsys.readouterr()
    assert "500 accepted, 1 refused" in said.out
    assert '"row": 501' in said.out + said.err


def test_events_go_as_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps({"type": "track", "event": f"e{n}"}) for n in range(101)), "utf-8")
    code, calls = run(monkeypatch, file, "events", [{"results": []}, {"results": []}])
    assert code == 0
    assert [len(json.loads(body)["batch"]) for _, body, _ in calls] == [100, 1]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{not json"])
def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=r"events\.jsonl"):
        run(monkeypatch, file, "events", [{"results": []}])
