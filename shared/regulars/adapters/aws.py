"""One client per AWS service, opened on first use; nothing is loaded before.

Inside Lambda the calls that a cold start waits for go over `regulars.adapters.aws_http`; everything else is botocore's
(botocore alone starts in three quarters of boto3's time).
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

from regulars.adapters import aws_http

if TYPE_CHECKING:
    from botocore.session import Session


@cache
def session() -> Session:
    """The process's botocore session."""
    from botocore.session import get_session

    return get_session()


@cache
def client(service: str) -> Any:
    """The process's client of `service`, retrying as AWS's standard mode does."""
    if aws_http.serves(service, os.environ):
        return aws_http.Client(service, os.environ, lambda: _full_client(service))
    return _full_client(service)


@cache
def send_once_client(service: str) -> Any:
    """A client that never retries by itself: no AWS send API has an idempotency token, so a retry may send twice."""
    return _botocore_client(service, {"total_max_attempts": 1})


@cache
def _full_client(service: str) -> Any:
    return _botocore_client(service, {"mode": "standard", "total_max_attempts": aws_http.TRIES})


def _botocore_client(service: str, retries: dict[str, Any]) -> Any:
    from botocore.config import Config

    # As many connections as the tick has threads: botocore's ten would be opened anew for the others at every call.
    config = Config(retries=retries, connect_timeout=2, read_timeout=10, max_pool_connections=32)
    return session().create_client(service, config=config)
