"""The data bucket in S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from regulars.adapters.aws import client
from regulars.errors import Misconfigured, TryLater

_WRONG = frozenset(("NoSuchBucket", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403"))


class S3Storage:
    """The port `Storage`."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        with _translated():
            client("s3").put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def get(self, key: str) -> bytes | None:
        try:
            with _translated():
                body: bytes = client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except _Missing:
            return None
        return body

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        arguments: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix}
        while True:
            with _translated():
                page = client("s3").list_objects_v2(**arguments)
            for entry in page.get("Contents", ()):
                yield entry["Key"], entry["Size"]
            if not page.get("IsTruncated"):
                return
            arguments["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, key: str) -> None:
        with _translated():
            client("s3").delete_object(Bucket=self._bucket, Key=key)


class _Missing(Exception):
    """No such object; never leaves this page."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        told = _as_ours(error)
        if told is None:
            raise
        raise told from error


def _as_ours(error: Exception) -> Exception | None:
    """None for what is none of botocore's, which is loaded when there is an error to look at."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, BotoCoreError):
        return TryLater(f"S3 unreachable: {type(error).__name__}", code="unreachable")
    if not isinstance(error, ClientError):
        return None
    code = error.response.get("Error", {}).get("Code", "")
    if code in ("NoSuchKey", "404"):
        return _Missing()
    return Misconfigured(f"S3: {code}") if code in _WRONG else TryLater(f"S3: {code}", code="storage")
