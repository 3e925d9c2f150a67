"""What is copied into the data bucket for the Spark job."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from regulars.adapters.spark.emr import ENTRY, ENVIRONMENT
from regulars_local import spark
from regulars_local.kernel import Target
from regulars_local.toolchain import ToolMissing

LIBRARY = f"lib/python{spark.VERSION}"


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Target]:
    """The processors that the kernel was compiled for."""
    targets: list[Target] = []
    monkeypatch.setattr(spark.kernel, "ensure", targets.append)
    return targets


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shape of one, with its own clutter."""
    folder = tmp_path / "python"
    for name in (f"bin/python{spark.VERSION}", f"{LIBRARY}/os.py", f"{LIBRARY}/test/clutter.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    monkeypatch.setenv("REGULARS_SPARK_PYTHON", str(folder))
    return folder


def test_the_package_holds_what_the_job_is_started_with(
    interpreter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[Target]
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(spark, "_run", lambda arguments, failed: asked.append(arguments))
    folder = spark.package("arm64", tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {ENTRY, ENVIRONMENT}
    with tarfile.open(folder / ENVIRONMENT) as archive:
        names = archive.getnames()
    assert {"./bin/python", f"./{LIBRARY}/os.py", f"./{LIBRARY}/site-packages/regulars/similarity/defaults.yaml"} <= set(names)
    assert not any("clutter" in name or "__pycache__" in name for name in names)
    install = next(arguments for arguments in asked if arguments[0] == "pip")
    assert {"aarch64-manylinux_2_28", "botocore", "pyyaml"} <= set(install)
    assert compiled == [("linux", "aarch64")]


def test_what_cannot_be_had_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_SPARK_PYTHON", raising=False)
    monkeypatch.setattr(spark.toolchain, "uv", lambda: sys.executable)  # a program that does none of it
    with pytest.raises(ToolMissing, match="an interpreter cannot be fetched"):
        spark.package("arm64", tmp_path / "out")
