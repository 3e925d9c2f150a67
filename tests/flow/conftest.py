"""One local stack for all flow tests: built, deployed and stopped by the same code as `make up` and `make demo`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from regulars_local import deploy, server
from regulars_local.stack import LocalStack, reset, up

T = TypeVar("T")
LONGEST_WAIT_SECONDS = 150.0
"""Bounds only how long a broken flow takes to be reported: what works is found as soon as it is there. It checks no speed, so
that it leaves room for a slow machine with other work, cold starts and the minute that a schedule's tick may take. It stays
below the 180 s after which the queues deliver again: what takes a second delivery is broken, and is to be reported."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A fresh stack on a free port; its state is thrown away."""
    home: Path = tmp_path_factory.mktemp("stack")
    try:
        yield up(home, server.free_port())
    finally:
        reset(home)


@pytest.fixture(scope="session")
def aws_client(stack: LocalStack) -> Callable[[str], Any]:
    """`aws_client("dynamodb")`: botocore's client of the stack."""
    return lambda service: deploy.client(service, stack.endpoint_url)


def eventually(look: Callable[[], T | None]) -> T:
    """What `look` finds as soon as it finds something; fails after LONGEST_WAIT_SECONDS."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"nothing came within {LONGEST_WAIT_SECONDS:.0f} s")
