"""Fixtures for all tests: moto's AWS in this process, with our clients re-used from test to test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

CreateTable = Callable[[str, bool], str]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account; nothing leaves the process."""
    from moto import mock_aws

    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


@pytest.fixture
def create_table(aws: None) -> CreateTable:
    """`create_table(name, sorted)`: a table as infra/stacks/storage.yaml makes them; returns its name."""
    from regulars.adapters.aws import client

    def create(name: str, has_sort_key: bool = True) -> str:
        keys = [("pk", "HASH"), ("sk", "RANGE")][: 2 if has_sort_key else 1]
        client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        )
        return name

    return create
