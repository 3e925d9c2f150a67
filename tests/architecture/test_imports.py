"""Who may import what, and that importing does nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.architecture import code
from tests.architecture.templates import ROOT

VENDORS = {"boto3", "botocore", "aws_lambda_powertools", "chalice", "pynamodb", "s3transfer", "aws_xray_sdk", "pyspark"}
_NUMERIC = {"numpy", "scipy"}
_LAYERS = {
    "base": {"asn1crypto", "aws_lambda_powertools", "borax", "chalice", "orjson", "pynamodb", "rsa", "yaml"},
    "rendering": {"liquid"},
    "numeric": {"numpy"},
}
_RUNTIME = {"botocore"}  # comes with Lambda
_PROJECTS = {"yaml": "pyyaml", "liquid": "python-liquid"}
# Run first in a fresh interpreter: nothing can open a socket, read the environment or make a client.
_GUARD = """
import json, os, socket, sys
class Guarded(dict):
    # Chalice looks for its own command line when an application is made: only our code may not look.
    def __getitem__(self, key): refuse(); return super().__getitem__(key)
    def get(self, *args): refuse(); return super().get(*args)
    def __contains__(self, key): refuse(); return super().__contains__(key)
    def __iter__(self): refuse(); return super().__iter__()
    def items(self): refuse(); return super().items()
def refuse(*args):
    if sys._getframe(2).f_globals["__name__"].split(".")[0] in ("regulars", "app"):
        raise AssertionError("read the environment at import")
class NoSocket(socket.socket):
    def __init__(self, *args, **named): raise AssertionError("opened a socket at import")
"""
_WALK = """
import importlib
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
socket.socket = NoSocket
real, failures = os.environ, {}
ours = [name for name in sys.modules if name.split(".")[0] in ("regulars", "app")]
for name in ours:
    del sys.modules[name]
os.environ = Guarded()
os.getenv = lambda *args: Guarded.get(os.environ, *args)
for name in json.loads(sys.argv[2]):
    try:
        importlib.import_module(name)
    except BaseException as error:
        failures[name] = f"{type(error).__name__}: {error}"
os.environ = real
print(json.dumps(failures))
"""


@pytest.mark.parametrize("path", code.stage_modules(), ids=code.module_name)
def test_stages_know_no_vendor_and_no_adapter(path: Path) -> None:
    imported = code.imports(path)
    assert not {name for name in imported if name.split(".")[0] in VENDORS}
    assert not {name for name in imported if name.startswith(("regulars.adapters", "regulars.compose"))}


def test_common_modules_know_no_vendor_either() -> None:
    for path in sorted(code.PACKAGE.glob("*.py")):
        imported = code.imports(path)
        assert not {name for name in imported if name.split(".")[0] in VENDORS or name.startswith("regulars.adapters")}, (
            path.name
        )


def test_numpy_only_where_the_numeric_layer_is() -> None:
    """The build functions alone have it: nothing outside the stages they build for may need it."""
    for path in code.modules(code.PACKAGE):
        if code.imports(path) & _NUMERIC:
            assert path.relative_to(code.PACKAGE).parts[0] in {"similarity", "needs"}, path


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_functions_import_only_the_package(path: Path) -> None:
    roots = {name.split(".")[0] for name in code.imports(path)}
    assert roots <= {"regulars"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_functions_decide_nothing(path: Path) -> None:
    """No business `if` in a handler."""
    kinds = {type(node).__name__ for node in code.ast.walk(code.tree(path))}
    assert not kinds & {"If", "IfExp", "While", "Try", "Match"}


def test_shared_holds_nothing_but_the_package() -> None:
    assert [path.name for path in code.SHARED.iterdir() if path.name != "__pycache__"] == ["regulars"]
    kinds = {path.suffix for path in code.PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert kinds <= {".py", ".yaml", ".typed", "", ".html", ".liquid", ".mjml", ".txt", ".json", ".c", ".library"}


def test_layers_bring_what_the_package_imports() -> None:
    known = {"regulars", *sys.stdlib_module_names}
    imported = {name.split(".")[0] for path in code.modules(code.PACKAGE) for name in code.imports(path)} - known
    assert imported <= _RUNTIME.union(*_LAYERS.values())
    for layer, packages in _LAYERS.items():
        pinned = {line.split("==")[0] for line in _requirements(layer)}
        assert {_PROJECTS.get(name, name.replace("_", "-")) for name in packages} <= pinned


def test_layers_are_pinned_as_in_the_lock_file() -> None:
    locked = {
        (entry["name"], entry.get("version")) for entry in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    }
    for layer in _LAYERS:
        assert {tuple(line.split("==")) for line in _requirements(layer)} <= locked, layer


def _requirements(layer: str) -> list[str]:
    lines = (ROOT / "layers" / layer / "requirements.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_importing_reads_no_environment_and_opens_nothing() -> None:
    """Vendors' modules are imported first (botocore reads the environment); then ours, with everything blocked."""
    ours = [code.module_name(path) for path in code.modules(code.PACKAGE)]
    theirs = sorted({name for path in code.modules(code.PACKAGE) for name in code.imports(path) if _is_vendor_module(name)})
    assert _import([*theirs, *ours], ours) == {}


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_importing_a_function_reads_no_environment_and_opens_nothing(path: Path) -> None:
    assert _import(["app"], ["app"], str(path.parent)) == {}


def _is_vendor_module(name: str) -> bool:
    """Modules, not the names in them."""
    return name.split(".")[0] in {*VENDORS, "liquid", "yaml", "numpy", "borax"} and not re.search(
        r"\.[A-Z_]\w*$|\.[a-z_]+$", name
    )


def _import(first: list[str], then: list[str], *places: str) -> dict[str, str]:
    path = [str(code.SHARED), *places]
    command = [sys.executable, "-W", "ignore", "-c", f"import sys; sys.path[:0] = {path!r}\n{_GUARD}{_WALK}"]
    outcome = subprocess.run([*command, json.dumps(first), json.dumps(then)], env={}, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    failures: dict[str, str] = json.loads(outcome.stdout)
    return failures
