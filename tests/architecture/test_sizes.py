"""Budgets: a handler fits a glance, a module a screen or three, a function half of one."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture import code
from tests.architecture.templates import ROOT

_HANDLER_LINES = 60
_MODULE_P90, _MODULE_MOST = 200, 400
_FUNCTION_P90, _FUNCTION_MOST = 30, 60
_CODE = ("shared/regulars", "functions", "infra/ops", "infra/local", "infra/demo", "infra/rules")


def _modules() -> list[Path]:
    return [path for folder in _CODE for path in code.modules(ROOT / folder)]


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def _p90(values: list[int]) -> int:
    return sorted(values)[int(len(values) * 0.9)]


def test_handlers() -> None:
    assert {str(path): _lines(path) for path in (ROOT / "functions").glob("*/app.py") if _lines(path) > _HANDLER_LINES} == {}


def test_modules() -> None:
    sizes = {str(path.relative_to(ROOT)): _lines(path) for path in _modules()}
    assert {name: size for name, size in sizes.items() if size > _MODULE_MOST} == {}
    assert _p90(list(sizes.values())) <= _MODULE_P90


def test_functions() -> None:
    sizes = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in _modules()
        for node in ast.walk(code.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: size for name, size in sizes.items() if size > _FUNCTION_MOST} == {}
    assert _p90(list(sizes.values())) <= _FUNCTION_P90
