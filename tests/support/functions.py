"""Functions woken as AWS wakes them: what a stack gives them on moto, their app modules, golden events, records of the log."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import CreateTable
from tests.support.http_server import Context

from regulars.capture.model import Event
from regulars.capture.packing import pack
from regulars.clock import to_ms

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
Wake = Callable[..., Any]
_WITHOUT_SORT_KEY = ("catalogue", "suppressions")


def deploy(
    create_table: CreateTable,
    monkeypatch: pytest.MonkeyPatch,
    clock: Path,
    now: datetime,
    tables: Sequence[str],
    **variables: str,
) -> None:
    """Makes `tables` (variables `<NAME>_TABLE`) and the bucket `data`, sets the file `clock` to `now`; `variables` beside."""
    from regulars.adapters.aws import client

    client("s3").create_bucket(Bucket="data")
    clock.write_text(now.isoformat(), "ascii")
    for name, value in {
        **{f"{noun.upper()}_TABLE": create_table(noun, noun not in _WITHOUT_SORT_KEY) for noun in tables},
        "POWERTOOLS_SERVICE_NAME": "test",
        "CLOCK_SOURCE": f"file:{clock}",
        "DATA_BUCKET": "data",
        **variables,
    }.items():
        monkeypatch.setenv(name, value)


def golden(name: str, **changes: Any) -> dict[str, Any]:
    """The wake-up event `tests/golden/<name>.json`, its keys `changes` replaced."""
    return {**json.loads((GOLDEN / f"{name}.json").read_text("utf-8")), **changes}


def load(name: str) -> Any:
    """The function's app module, fresh, as a new Lambda environment would load it."""
    spec = importlib.util.spec_from_file_location(f"app_of_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wake(name: str, event: Any = None) -> Any:
    """What a fresh environment of the function answers to `event`, else to its golden one."""
    return load(name).handler(golden(name) if event is None else event, Context())


def warm() -> Wake:
    """`call(golden name, **changes)` → what the handler returns; a function once woken stays loaded."""
    loaded: dict[str, Any] = {}

    def call(name: str, **changes: Any) -> Any:
        function = name.partition(".")[0]
        if function not in loaded:
            loaded[function] = load(function)
        return loaded[function].handler(golden(name, **changes), Context())

    return call


class LogRecord:
    """The stream record of events that one delivery told, received with the newest."""

    action = "INSERT"

    def __init__(self, events: Sequence[Event], number: int = 1) -> None:
        newest = max(event.received_at for event in events)
        self.new = {"events": pack(events), "received": to_ms(newest)}
        self.sequence = str(number)
