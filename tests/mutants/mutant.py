"""One planted bug, and what it takes to plant it in a copy of the product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "shared"
TIME_LIMIT_SECONDS = 900
_TESTS_FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`old` stands exactly once in `module` (a path below shared/regulars) and becomes `new`; then `tests` (words for pytest)
    must fail. `promise`: what it would break in life."""

    name: str
    module: str
    old: str
    new: str
    tests: tuple[str, ...]
    promise: str

    def fits(self, shared: Path = SHARED) -> str:
        """Why the patch cannot be applied, "" when it can."""
        path = shared / "regulars" / self.module
        if not path.exists():
            return f"{self.module} is not there"
        found = path.read_text("utf-8").count(self.old)
        return "" if found == 1 else f"{self.module}: {self.old.strip().splitlines()[0]!r} … is found {found} times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`verdict`: caught, SURVIVED, or why nothing can be said."""

    mutant: Mutant
    verdict: str
    output: str

    @property
    def caught(self) -> bool:
        return self.verdict == "caught"


def copied(folder: Path) -> Path:
    """`shared/` below `folder`, without what Python keeps beside its sources."""
    return Path(shutil.copytree(SHARED, folder / "shared", ignore=shutil.ignore_patterns("__pycache__")))


@contextmanager
def planted(mutant: Mutant, shared: Path) -> Iterator[None]:
    """The bug is in the copy; afterwards it is out again."""
    path = shared / "regulars" / mutant.module
    text = path.read_text("utf-8")
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def tried(mutant: Mutant, shared: Path) -> Result:
    """What the tests say of the bug."""
    if reason := mutant.fits(shared):
        return Result(mutant=mutant, verdict=f"does not apply: {reason}", output="")
    with planted(mutant, shared):
        code, output = tested(mutant.tests, shared)
    words = {_TESTS_FAILED: "caught", 0: "SURVIVED", -1: f"no end within {TIME_LIMIT_SECONDS} s"}
    return Result(mutant=mutant, verdict=words.get(code, f"pytest could not run (exit code {code})"), output=output)


def tested(tests: tuple[str, ...], shared: Path) -> tuple[int, str]:
    """Exit code (-1: out of time) and output of these tests against the package in `shared`."""
    places = [str(shared), "infra/ops", "infra/local", "infra/demo", "."]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath={' '.join(places)}",
    ]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "REGULARS_SIMULATE")}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(shared.parent / "hypothesis")}
    try:
        done = subprocess.run(
            [*command, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return -1, ""
    return done.returncode, done.stdout + done.stderr
