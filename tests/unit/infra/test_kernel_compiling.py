"""The kernel is compiled once, whole or not at all, and machines without a compiler are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regulars.similarity import compiled
from regulars_local import kernel, toolchain

NAME = "kernel-0123-{}-{}.library"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of small sources, and libraries named without reading the package."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    for source in compiled.SOURCES:
        (tmp_path / source).write_text(f"int of_{Path(source).stem}(void) {{ return 1; }}\n", "ascii")
    monkeypatch.setattr(kernel, "_STAGE", tmp_path)
    monkeypatch.setattr(compiled, "file_name", lambda *target: NAME.format(*target))
    return tmp_path


def test_compiles_once_and_forgets_what_is_outdated(stage: Path) -> None:
    folder = stage / compiled.FOLDER
    folder.mkdir()
    (folder / "kernel-9999-linux-aarch64.so").write_bytes(b"of another source")
    (folder / NAME.format("linux", "other")).with_suffix(".so").write_bytes(b"of this source, as they were once called")
    (folder / NAME.format("linux", "other")).write_bytes(b"of this source, for other machines")
    assert kernel.ensure()
    assert {path.name for path in folder.iterdir()} == {NAME.format(*compiled.here()), NAME.format("linux", "other")}
    assert not kernel.ensure()


def test_what_does_not_compile_leaves_nothing_and_says_why(stage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stage / compiled.SOURCES[0]).write_text("int broken(void) { return nothing; }\n", "ascii")
    with pytest.raises(RuntimeError, match="nothing"):
        kernel.ensure()
    assert list((stage / compiled.FOLDER).iterdir()) == []
    kernel.ensure_here()
    assert "without the compiled kernel" in capsys.readouterr().err


def test_a_machine_without_a_compiler_is_told(
    stage: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_network = tmp_path / "uv"
    no_network.write_text("#!/bin/sh\necho no route to host >&2\nexit 1\n", "ascii")
    no_network.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(toolchain, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(toolchain, "uv", lambda: str(no_network))
    with pytest.raises(toolchain.ToolMissing, match="no route to host"):
        kernel.ensure(kernel.for_lambda("arm64"))
    kernel.ensure_here()
    assert "without the compiled kernel" in capsys.readouterr().err


def test_lambda_has_its_own_words_for_machines() -> None:
    assert kernel.for_lambda("arm64") == ("linux", "aarch64")
    assert kernel.for_lambda("x86_64") == ("linux", "x86_64")
