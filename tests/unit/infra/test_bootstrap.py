"""The bootstrap: verbs, and words for what a machine lacks."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "infra/local/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_has_the_same_verbs(bootstrap: ModuleType) -> None:
    verbs = re.findall(r"^VERBS := (.*)$", (ROOT / "Makefile").read_text(), re.M)[0].split()
    assert sorted(verbs) == sorted(bootstrap.VERBS)


def test_an_old_python_is_told(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 0))
    assert bootstrap.main(["test"]) == 2
    assert "3.11 or newer" in capsys.readouterr().err


def test_an_unknown_verb_is_told(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["dance"]) == 2
    assert "demo" in capsys.readouterr().err


def test_patterns_are_expanded(bootstrap: ModuleType) -> None:
    assert "infra/stacks/storage.yaml" in bootstrap.expand("infra/stacks/*.yaml")
    assert bootstrap.expand("template.yaml") == ["template.yaml"]


def test_a_python_that_makes_no_environments_is_told(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "TOOLS", tmp_path)
    monkeypatch.setattr(bootstrap.sys, "executable", "/bin/false")
    assert bootstrap.install_uv() is None
    assert "python3-venv" in capsys.readouterr().err


def test_verbs_stop_at_the_first_failure(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], uv: str) -> int:
        ran.append(command)
        return 3 if "mypy" in command else 0

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "find_uv", lambda: "uv")
    monkeypatch.setattr(bootstrap, "sync", lambda uv: True)
    assert bootstrap.main(["test"]) == 3
    assert [command[2] for command in ran] == ["ruff", "ruff", "mypy"]
