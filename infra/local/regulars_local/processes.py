"""Processes that outlive the command that started them: started apart, known again by number and command line, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Those of this process, kept so that they can be reaped, and so that nobody takes them for forgotten."""


def spawn(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: Path) -> int:
    """Start in a session of its own, output appended to `log`; the process id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[process.pid] = process
    return process.pid


def is_running(pid: int, named: str) -> bool:
    """Whether process `pid` lives and has `named` in its command line: not a stranger with the number of a dead one."""
    child = _children.get(pid)
    if child and child.poll() is not None:
        return False
    outcome = subprocess.run(["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True)
    return outcome.returncode == 0 and named in outcome.stdout and not outcome.stdout.startswith("Z")


def end(pid: int, named: str, seconds: float) -> None:
    """SIGTERM and wait; SIGKILL when it still runs after `seconds`."""
    if is_running(pid, named):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while is_running(pid, named):
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
    child = _children.pop(pid, None)
    if child:
        child.wait()
