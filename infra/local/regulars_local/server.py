"""The MiniStack process of one home folder: started on 127.0.0.1 only, stopped by SIGTERM so that it saves its state."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import urllib.request
from pathlib import Path

from regulars_local import processes

HOST = "127.0.0.1"
_NAME = "ministack"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def environment(home: Path, port: int, more: dict[str, str]) -> dict[str, str]:
    """Of MiniStack and, inherited, of the functions: nothing of the caller's AWS settings or Python paths."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
    return {
        **kept,
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": "us-east-1",
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "state" / "s3"),
        "TMPDIR": str(home / "tmp"),  # every warm function unpacks its layers there
        "PYTHONDONTWRITEBYTECODE": "1",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def start(home: Path, port: int, python: Path, more: dict[str, str]) -> int:
    """Start and wait until it answers; the process id. Raises RuntimeError with the end of its log."""
    clean(home)
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("ministack_main.py")
    pid = processes.spawn([python, script], environment(home, port, more), home, home / "ministack.log")
    (home / "server.json").write_text(json.dumps({"pid": pid, "port": port}), "ascii")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if is_ready(port):
            return pid
        if not processes.is_running(pid, _NAME):
            break
        time.sleep(0.1)
    stop(home)
    tail = (home / "ministack.log").read_text("utf-8", "replace")[-2000:]
    raise RuntimeError(f"MiniStack did not start on port {port}:\n{tail}")


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def running(home: Path) -> tuple[int, int] | None:
    """(process id, port) of the MiniStack of `home`, None when it does not run."""
    try:
        noted = json.loads((home / "server.json").read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None
    pid, port = int(noted["pid"]), int(noted["port"])
    return (pid, port) if processes.is_running(pid, _NAME) else None


def stop(home: Path) -> bool:
    """SIGTERM, wait for the state to be saved; SIGKILL only after a minute. False when nothing ran."""
    found = running(home)
    if found:
        processes.end(found[0], _NAME, _STOP_SECONDS)
    (home / "server.json").unlink(missing_ok=True)
    clean(home)
    return found is not None


def clean(home: Path) -> None:
    """Remove what warm functions unpacked; MiniStack leaves it behind."""
    shutil.rmtree(home / "tmp", ignore_errors=True)
