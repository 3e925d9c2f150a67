"""Interpreters and tools, found or fetched into `.local/tools`; nothing outside the project is changed."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".local" / "tools"
RUNTIME = "3.13"  # of the functions on AWS
SAM_VERSION = "1.170.0"
_FETCH_SECONDS = 120


class ToolMissing(RuntimeError):
    """Something needed is neither here nor to be had; the text says what to do."""


def architecture() -> str:
    """This machine's, in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def minor(python: Path) -> str:
    """`3.13` of the interpreter at `python`; raises OSError or CalledProcessError when it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, timeout=20)
    return answer.stdout.strip()


@cache
def python_for_functions() -> Path:
    """Python 3.13, as on AWS, where there is one or uv can fetch one; else the interpreter that runs this.

    `REGULARS_PYTHON` names another one.
    """
    named = os.environ.get("REGULARS_PYTHON")
    if named:
        return _executable(Path(named))
    for candidate in _candidates():
        try:
            if minor(candidate) == RUNTIME:
                return _executable(candidate)
        except (OSError, subprocess.SubprocessError):
            continue  # a pyenv shim of a version that is not switched on
    return _fetched() or _executable(Path(sys.executable))


def _candidates() -> list[Path]:
    found = shutil.which(f"python{RUNTIME}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{RUNTIME}*/bin/python{RUNTIME}"))
    fetched = sorted((TOOLS / "python").glob(f"cpython-{RUNTIME}*/bin/python{RUNTIME}"))
    return [Path(sys.executable), *([Path(found)] if found else []), *pyenv, *fetched]


def _executable(python: Path) -> Path:
    """The real interpreter behind a shim or a virtual environment."""
    code = "import os, sys; print(os.path.realpath(sys.executable))"
    answer = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, timeout=20)
    return Path(answer.stdout.strip())


def _fetched() -> Path | None:
    """Python 3.13 through uv, or None where it cannot be downloaded; what failed once is not tried again."""
    failed = TOOLS / "python" / "unavailable"
    if failed.exists():
        return None
    environment = {**os.environ, "UV_PYTHON_INSTALL_DIR": str(TOOLS / "python"), "UV_HTTP_TIMEOUT": "15"}
    command = [uv(), "python", "install", "--no-bin", RUNTIME]
    try:
        subprocess.run(command, check=True, env=environment, capture_output=True, timeout=_FETCH_SECONDS)
    except (OSError, subprocess.SubprocessError):
        failed.parent.mkdir(parents=True, exist_ok=True)
        failed.write_text("uv could not fetch it; delete this file to try again\n", "ascii")
        return None
    return next(iter(sorted((TOOLS / "python").glob(f"cpython-{RUNTIME}*/bin/python{RUNTIME}"))), None)


def uv() -> str:
    """uv, on PATH or as the bootstrap installed it; raises ToolMissing."""
    found = shutil.which("uv") or shutil.which("uv", path=str(TOOLS / "venv" / "bin"))
    if not found:
        raise ToolMissing("uv is missing: run `make setup`")
    return found


def sam(*, fetch: bool = True) -> Path:
    """The SAM CLI of our version in an environment of its own (it pulls boto3 down); raises ToolMissing."""
    binary = TOOLS / f"sam-{SAM_VERSION}" / "bin" / "sam"
    if binary.exists():
        return binary
    if not fetch:
        raise ToolMissing("the SAM CLI is missing: run `make setup`")
    directory = binary.parent.parent
    environment = {**os.environ, "UV_TOOL_DIR": str(directory / "tool"), "UV_TOOL_BIN_DIR": str(binary.parent)}
    command = [uv(), "tool", "install", "--quiet", "--python", sys.executable, f"aws-sam-cli=={SAM_VERSION}"]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True)
    if outcome.returncode or not binary.exists():
        raise ToolMissing(f"the SAM CLI cannot be installed: {outcome.stderr.strip()[-500:]}")
    return binary


def stack_python(python: Path) -> Path:
    """The interpreter of the environment that MiniStack and, in its subprocesses, the functions run in.

    It holds what the Lambda runtime brings (boto3) and MiniStack, as pinned in uv.lock, for the same Python as
    `python`, because MiniStack runs functions with its own interpreter.
    """
    venv = TOOLS / f"stack-{minor(python)}"
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    command = [uv(), "sync", "--quiet", "--frozen", "--only-group", "local", "--no-install-project", "--python", str(python)]
    outcome = subprocess.run(
        command, cwd=ROOT, env={**environment, "UV_PROJECT_ENVIRONMENT": str(venv)}, capture_output=True, text=True
    )
    if outcome.returncode:
        raise ToolMissing(f"MiniStack cannot be installed: {outcome.stderr.strip()[-500:]}")
    return venv / "bin" / "python"
