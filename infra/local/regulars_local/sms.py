"""The process of the SMS and push stub beside MiniStack, which has no End User Messaging SMS v2."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

from regulars_local import processes, server, toolchain

_START_SECONDS, _STOP_SECONDS = 10.0, 5.0
MODULE = "regulars_local.sms_stub"  # `python -m … --port N --directory D`: keeps what was sent as JSON lines in D


def start(home: Path) -> int | None:
    """Start the stub unless it runs; its port, None where the stub is not part of this installation."""
    if importlib.util.find_spec(MODULE) is None:
        return None
    noted = _noted(home)
    if noted and not server.port_is_free(noted["port"]):
        return noted["port"]
    port = noted["port"] if noted else server.free_port()
    directory = home / "sms"
    directory.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(str(toolchain.ROOT / part) for part in ("infra/local", "shared"))
    command = [sys.executable, "-m", MODULE, "--port", str(port), "--directory", str(directory)]
    pid = processes.spawn(command, {**os.environ, "PYTHONPATH": path}, home, home / "sms.log")
    (home / "sms.json").write_text(json.dumps({"pid": pid, "port": port}), "ascii")
    deadline = time.monotonic() + _START_SECONDS
    while server.port_is_free(port):
        if not processes.is_running(pid, MODULE) or time.monotonic() > deadline:
            raise RuntimeError(f"the SMS stub did not start; see {home / 'sms.log'}")
        time.sleep(0.05)
    return port


def environment(port: int | None) -> dict[str, str]:
    """What makes the functions' SDK speak to the stub; of SNS they call Publish to push endpoints only."""
    names = ("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2", "AWS_ENDPOINT_URL_SNS")
    return dict.fromkeys(names, f"http://{server.HOST}:{port}") if port else {}


def url(home: Path) -> str:
    """Where the stub answers, empty without one."""
    noted = _noted(home)
    return f"http://{server.HOST}:{noted['port']}" if noted else ""


def stop(home: Path) -> None:
    """Stop the stub; its port stays noted, because the kept stack starts on the same one."""
    noted = _noted(home)
    if noted and noted["pid"]:
        processes.end(noted["pid"], MODULE, _STOP_SECONDS)
        (home / "sms.json").write_text(json.dumps({**noted, "pid": 0}), "ascii")


def _noted(home: Path) -> dict[str, int] | None:
    try:
        noted: dict[str, int] = json.loads((home / "sms.json").read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return noted
