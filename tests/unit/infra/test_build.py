"""Builds: what changes the fingerprint, what our packager writes, what is compiled and pruned."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from regulars.similarity.library import FOLDER, file_name
from regulars_local import build, package, toolchain

PYTHON = Path(sys.executable)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project of our shape, without requirements to install."""
    (tmp_path / "infra/stacks").mkdir(parents=True)
    (tmp_path / "functions/greet").mkdir(parents=True)
    (tmp_path / "shared/regulars/tests").mkdir(parents=True)
    (tmp_path / "layers").mkdir()
    (tmp_path / "template.yaml").write_text(
        """
Resources:
  SharedLayer: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: shared/ } }
  Stage:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: infra/stacks/stage.yaml, Parameters: { Layer: !Ref SharedLayer } }
"""
    )
    (tmp_path / "infra/stacks/stage.yaml").write_text(
        "Resources: { Greet: { Type: AWS::Lambda::Function, Properties: { Code: ../../functions/greet/, Role: !Ref R } } }"
    )
    (tmp_path / "functions/greet/app.py").write_text("handler = print\n")
    (tmp_path / "shared/regulars/__init__.py").write_text("x = 1\n")
    (tmp_path / "shared/regulars/tests/test_x.py").write_text("")
    for module in (build, toolchain):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def test_the_fingerprint_follows_the_sources(project: Path) -> None:
    first = build.fingerprint(PYTHON, "arm64")
    assert build.fingerprint(PYTHON, "arm64") == first
    assert build.fingerprint(PYTHON, "x86_64") != first
    (project / "shared/regulars/__init__.cpython-311.pyc").write_text("")
    assert build.fingerprint(PYTHON, "arm64") == first
    (project / "functions/greet/app.py").write_text("handler = repr\n")
    changed = build.fingerprint(PYTHON, "arm64")
    assert changed != first
    (project / "functions/greet/app.py").rename(project / "functions/greet/other.py")
    assert build.fingerprint(PYTHON, "arm64") != changed


def test_the_packager_writes_what_sam_build_does(project: Path) -> None:
    (project / "functions/greet/__pycache__").mkdir()
    package.package(project / "template.yaml", project / "out", PYTHON)
    root = yaml.safe_load((project / "out/template.yaml").read_text())
    assert root["Resources"]["Stage"]["Properties"]["TemplateURL"] == "Stage/template.yaml"
    assert root["Resources"]["Stage"]["Properties"]["Parameters"] == {"Layer": {"Ref": "SharedLayer"}}
    stage = yaml.safe_load((project / "out/Stage/template.yaml").read_text())
    assert stage["Resources"]["Greet"]["Properties"] == {"Code": "Greet", "Role": {"Ref": "R"}}
    assert sorted(path.name for path in (project / "out/Stage/Greet").iterdir()) == ["app.py"]
    assert (project / "out/SharedLayer/python/regulars/__init__.py").exists()


def test_a_build_is_made_once_per_change(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "RUNTIME", "9.9")
    made, again = (build.build(PYTHON, "arm64", project / "out") for _ in range(2))
    assert (made[1], again[1]) == (True, False)
    assert made[0] == again[0]
    (project / "shared/regulars/__init__.py").write_text("x = 2\n")
    assert build.build(PYTHON, "arm64", project / "out")[1] is True


def test_byte_code_is_shipped_and_stays_valid(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "RUNTIME", "9.9")
    build.build(PYTHON, "arm64", project / "out")
    (compiled,) = (project / "out/SharedLayer/python/regulars/__pycache__").glob("*.pyc")
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 0b01  # hash-based, never checked (PEP 552)
    assert str(project).encode() not in compiled.read_bytes()


def test_other_peoples_tests_are_not_shipped(project: Path) -> None:
    package.package(project / "template.yaml", project / "out", PYTHON)
    build.prune(project / "out")
    assert not (project / "out/SharedLayer/python/regulars/tests").exists()


def test_a_build_for_aws_takes_its_runtime(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "RUNTIME", "9.9")
    monkeypatch.setattr(build, "AWS_BUILD", project / "out")
    with pytest.raises(RuntimeError, match=r"takes Python 9\.9"):
        build.build(PYTHON, "arm64", project / "out")


def test_a_failing_command_says_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        build.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], {})


def test_a_named_interpreter_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    toolchain.python_for_functions.cache_clear()
    monkeypatch.setenv("REGULARS_PYTHON", sys.executable)
    assert toolchain.minor(toolchain.python_for_functions()) == toolchain.minor(PYTHON)
    toolchain.python_for_functions.cache_clear()


def test_without_uv_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(toolchain.ToolMissing, match="make setup"):
        toolchain.uv()


def test_a_layer_without_the_compiled_loops_is_no_build(project: Path) -> None:
    """`sam build` once left them out: it takes no `.so` of ours along."""
    build.check_loops(project / "out")
    loops = project / "shared/regulars/similarity" / FOLDER
    loops.mkdir(parents=True)
    (loops / file_name("linux", "aarch64")).write_bytes(b"compiled")
    with pytest.raises(RuntimeError, match=r"aarch64\.library is not in the layer"):
        build.check_loops(project / "out")
    package.package(project / "template.yaml", project / "out", PYTHON)
    build.check_loops(project / "out")
