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


def eventually(look: Callable[[], T | None], seconds: float = 30.0) -> T:
    """What `look` finds as soon as it finds something; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"nothing came within {seconds} s")
