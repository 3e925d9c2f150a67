"""One botocore session and one client per service, opened on first use (botocore alone starts in half of boto3's time)."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=10)
_SEND_ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)


@cache
def session() -> Session:
    """The process's session."""
    return get_session()


@cache
def client(service: str) -> Any:
    """The process's client of `service`, retrying as AWS's standard mode does."""
    return session().create_client(service, config=_CONFIG)


@cache
def send_once_client(service: str) -> Any:
    """A client that never retries by itself: no AWS send API has an idempotency token, so a retry may send twice."""
    return session().create_client(service, config=_SEND_ONCE)
