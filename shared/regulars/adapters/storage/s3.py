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
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "404"):
            raise _Missing from error
        if code in _WRONG:
            raise Misconfigured(f"S3: {code}") from error
        raise TryLater(f"S3: {code}", code="storage") from error
    except BotoCoreError as error:
        raise TryLater(f"S3 unreachable: {type(error).__name__}", code="unreachable") from error
