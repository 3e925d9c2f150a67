"""The data bucket in memory."""

from __future__ import annotations

from collections.abc import Iterator


class MemoryStorage:
    """The port `Storage`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        self.objects[key] = bytes(body)

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def list(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in list(self.objects) if key.startswith(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        return ((key, len(self.objects[key])) for key in self.list(prefix))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)
