"""The local stack's bookkeeping: what stack.json holds, which processes count as ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from regulars_local import processes, server, stack

OUTPUTS = {
    "EventsTable": "t-events",
    "EventsQueueUrl": "http://q/events",
    "EventsDeadQueueUrl": "http://q/events_dead",
    "StreamFailuresQueueUrl": "http://q/stream_failures",
    "DataBucket": "bucket",
}


def test_nouns_of_outputs() -> None:
    assert stack._nouns(OUTPUTS, "Table") == {"events": "t-events"}
    assert set(stack._nouns(OUTPUTS, "QueueUrl")) == {"events", "events_dead", "stream_failures"}


def test_no_stack_no_file(tmp_path: Path) -> None:
    assert stack.load(tmp_path) is None
    (tmp_path / "stack.json").write_text("{")
    assert stack.load(tmp_path) is None
    (tmp_path / "stack.json").write_text(json.dumps({"stack": "of an older layout"}))
    assert stack.load(tmp_path) is None


def test_parameters_never_hold_a_key(tmp_path: Path) -> None:
    values = stack.parameters(tmp_path, 4570, "arm64").values()
    assert stack.WRITE_KEY not in values
    assert stack.OPERATOR_KEY not in values


def test_ministack_hears_this_machine_only_and_nothing_of_the_callers_account(tmp_path: Path) -> None:
    environment = server.environment(tmp_path, 4570, {"MORE": "1"})
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["MORE"] == "1"
    assert not [name for name in environment if name.startswith(("AWS_", "PYTHONPATH"))]


def test_a_stranger_with_the_number_of_a_dead_process_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(json.dumps({"pid": os.getpid(), "port": 4570}))
    assert server.running(tmp_path) is None
    assert server.stop(tmp_path) is False


def test_reset_forgets(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    for name in ("stack.json", "clock"):
        (tmp_path / name).write_text("{}")
    stack.reset(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_process_is_known_by_its_command_line() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)  # marmot"])
    try:
        assert processes.is_running(process.pid, "marmot")
        assert not processes.is_running(process.pid, "badger")
    finally:
        process.kill()
        process.wait()
    assert not processes.is_running(process.pid, "marmot")
