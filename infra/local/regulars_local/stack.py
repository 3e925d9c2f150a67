"""A local stack with a home folder: `.local` for people, a temporary one for tests.

home/stack.json     what is deployed where; read by the `regulars` command, the demonstration, the tests
home/clock          the virtual clock that every function reads; real time while it is absent
home/state          what MiniStack keeps from one run to the next
home/ministack.log
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from regulars_local import build, deploy, server, sms, toolchain

HOME = toolchain.ROOT / ".local"
NAME = "regulars"
PORT = 4570
WRITE_KEY = "local-write-key"
OPERATOR_KEY = "local-operator-key"
EMAIL_SENDER = "shop@example.com"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class LocalStack:
    """What `stack.json` holds. Tables, queues and dead-letter queues by their noun in flow.py."""

    stack: str
    home: str
    port: int
    endpoint_url: str
    api_url: str
    tables: dict[str, str]
    queues: dict[str, str]
    dead_queues: dict[str, str]
    bucket: str
    signing_secret_arn: str
    feedback_topic_arn: str
    sms_url: str
    clock_file: str
    write_key: str
    operator_key: str
    python: str
    fingerprint: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point any AWS SDK at this stack."""
        return deploy.credentials(self.endpoint_url)

    def function(self, name: str) -> str:
        """The deployed name of a function of flow.py."""
        return f"{self.stack}-{name}"


def load(home: Path = HOME) -> LocalStack | None:
    """The stack deployed in `home`, running or not; None when there is none, or one of an older layout."""
    try:
        return LocalStack(**json.loads((home / "stack.json").read_text("utf-8")))
    except (FileNotFoundError, TypeError, ValueError):
        return None


def up(home: Path = HOME, port: int | None = None, tell: Tell = print) -> LocalStack:
    """Build, start, deploy, each only where needed. A kept state starts again on its own port.

    Raises ToolMissing or RuntimeError with the reason.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    python = toolchain.python_for_functions()
    arch = toolchain.architecture()
    began = time.monotonic()
    fingerprint, built = build.build(python, arch)
    tell(_took("built for Python " + toolchain.minor(python) if built else "build is current", began))
    began = time.monotonic()
    kept = load(home)
    port = _start(home, port or (kept.port if kept else None), python)
    tell(_took(f"MiniStack answers on port {port}", began))
    if kept and kept.port == port and kept.fingerprint == fingerprint and _deployed(kept):
        tell("deployment is current")
        return kept
    began = time.monotonic()
    stack = _deploy(home, port, python, arch, fingerprint)
    tell(_took(f"deployed {len(stack.tables)} tables, {len(stack.queues)} queues and the functions", began))
    return stack


def _took(what: str, began: float) -> str:
    return f"{what} ({time.monotonic() - began:.1f} s)"


def _start(home: Path, port: int | None, python: Path) -> int:
    found = server.running(home)
    if found:
        return found[1]
    sms_port = sms.start(home)
    port = port or (PORT if server.port_is_free(PORT) else server.free_port())
    server.start(home, port, toolchain.stack_python(python), sms.environment(sms_port))
    return port


def _deployed(kept: LocalStack) -> bool:
    """Whether the kept state still has the stack; a state not saved cleanly has not."""
    functions = deploy.client("lambda", kept.endpoint_url)
    try:
        functions.get_function_configuration(FunctionName=kept.function("fire_timers"))
    except functions.exceptions.ResourceNotFoundException:
        return False
    return True


def parameters(home: Path, port: int, architecture: str) -> dict[str, str]:
    """The template's parameters on this machine."""
    return {
        "Architecture": architecture,
        "ClockSource": f"file:{home / 'clock'}",
        "Scale": "small",
        "TimerShards": "1",
        "WriteKeyHashes": _hash(WRITE_KEY),
        "OperatorKeyHashes": _hash(OPERATOR_KEY),
        "EmailSender": EMAIL_SENDER,
        "SmsOriginationIdentity": "Regulars",
        "LinkBaseUrl": api_url(port),
        "LogLevel": "WARNING",
    }


def api_url(port: int) -> str:
    """Where MiniStack serves the HTTP API by path; by host name it takes a resolver that knows `*.localhost`."""
    return f"http://{server.HOST}:{port}/_aws/execute-api/{deploy.API_ID}/$default"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _deploy(home: Path, port: int, python: Path, architecture: str, fingerprint: str) -> LocalStack:
    endpoint_url = f"http://{server.HOST}:{port}"
    outputs = deploy.deploy(NAME, endpoint_url, parameters(home, port, architecture))
    queues = _nouns(outputs, "QueueUrl")
    stack = LocalStack(
        stack=NAME,
        home=str(home),
        port=port,
        endpoint_url=endpoint_url,
        api_url=api_url(port),
        tables=_nouns(outputs, "Table"),
        queues={noun: url for noun, url in queues.items() if f"{noun}_dead" in queues},
        dead_queues={noun.removesuffix("_dead"): url for noun, url in queues.items() if noun.endswith("_dead")},
        bucket=outputs["DataBucket"],
        signing_secret_arn=outputs["SigningSecret"],
        feedback_topic_arn=outputs["FeedbackTopic"],
        sms_url=sms.url(home),
        clock_file=str(home / "clock"),
        write_key=WRITE_KEY,
        operator_key=OPERATOR_KEY,
        python=toolchain.minor(python),
        fingerprint=fingerprint,
    )
    (home / "stack.json").write_text(json.dumps(asdict(stack), indent=2) + "\n", "utf-8")
    return stack


def _nouns(outputs: dict[str, str], ending: str) -> dict[str, str]:
    """`EventsDeadQueueUrl` → `events_dead`, of those outputs that end so."""
    found = {}
    for key, value in outputs.items():
        if key.endswith(ending):
            found[re.sub(r"(?<!^)(?=[A-Z])", "_", key.removesuffix(ending)).lower()] = value
    return found


def down(home: Path = HOME) -> bool:
    """Stop, keeping the state; False when nothing ran."""
    stopped = server.stop(home.resolve())
    sms.stop(home.resolve())
    return stopped


def reset(home: Path = HOME) -> None:
    """Stop and forget the state and the clock; what was built stays."""
    down(home)
    for name in ("state", "sms", "tmp"):
        shutil.rmtree(home / name, ignore_errors=True)
    for name in ("stack.json", "sms.json", "clock", "ministack.log", "sms.log"):
        (home / name).unlink(missing_ok=True)
