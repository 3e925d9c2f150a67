"""The source tree as the laws see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.templates import ROOT

SHARED = ROOT / "shared"
PACKAGE = SHARED / "regulars"
OUTSIDE_STAGES = {"adapters", "compose"}


def modules(folder: Path) -> list[Path]:
    """Every Python file below `folder`."""
    return sorted(folder.rglob("*.py"))


def stage_modules() -> list[Path]:
    """Modules of the stages: packages below `regulars` that are no adapters."""
    return [
        path for path in modules(PACKAGE) if path.relative_to(PACKAGE).parts[0] not in OUTSIDE_STAGES and path.parent != PACKAGE
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Dotted names a module imports, at its top or inside functions; not those for type checking only."""
    return set(_imports(tree(path), path))


def _imports(node: ast.AST, path: Path) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _imports(other, path)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}: relative import"
            yield child.module or ""
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        else:
            yield from _imports(child, path)


def module_name(path: Path) -> str:
    """`regulars.capture.model` of shared/regulars/capture/model.py."""
    parts = path.relative_to(SHARED).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
