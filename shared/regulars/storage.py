"""The port of the data bucket; every stage that keeps files speaks to this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Storage(Protocol):
    """Named blobs. Keys use `/`; a put replaces whole objects."""

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None: ...

    def get(self, key: str) -> bytes | None:
        """The object's bytes, None when there is none."""

    def list(self, prefix: str) -> Iterator[str]:
        """Keys under `prefix` in lexical order."""

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """As `list`, each with the object's bytes."""

    def delete(self, key: str) -> None: ...
