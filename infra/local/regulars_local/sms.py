"""The process of the SMS and push stub beside MiniStack, which has no End User Messaging SMS v2."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from regulars_local import server, toolchain

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
    with (home / "sms.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "--port", str(port), "--directory", str(directory)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (home / "sms.json").write_text(json.dumps({"pid": process.pid, "port": port}), "ascii")
    deadline = time.monotonic() + 10
    while server.port_is_free(port):
        if process.poll() is not None or time.monotonic() > deadline:
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
    if noted and noted["pid"] and server.is_process(noted["pid"], MODULE):
        with contextlib.suppress(ProcessLookupError):
            os.kill(noted["pid"], signal.SIGTERM)
        (home / "sms.json").write_text(json.dumps({**noted, "pid": 0}), "ascii")


def _noted(home: Path) -> dict[str, int] | None:
    try:
        noted: dict[str, int] = json.loads((home / "sms.json").read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return noted
