"""A data bucket and a model store in folders: every process of this machine sees the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regulars.adapters.memory.models import MemoryModels
from regulars.similarity.model import Neighbours, Pointer, Popularity


@dataclass(frozen=True)
class FolderStorage:
    """The port `Storage`."""

    root: Path

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).write_bytes(body)

    def get(self, key: str) -> bytes | None:
        return (self.root / key).read_bytes() if (self.root / key).is_file() else None

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        named = ((path.relative_to(self.root).as_posix(), path.stat().st_size) for path in files)
        return ((key, size) for key, size in named if key.startswith(prefix))

    def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)


@dataclass(frozen=True)
class FolderModels:
    """What a build needs of the port `ModelStore`; `rows` reads a version back."""

    root: Path

    def pointer(self) -> Pointer | None:
        path = self.root / "pointer"
        return pickle.loads(path.read_bytes()) if path.exists() else None  # type: ignore[no-any-return]

    def write(self, version: str, rows: Iterable[Neighbours], part: int = 0) -> int:
        """Lists pass through their packed form, as with every store."""
        memory = MemoryModels()
        listed = list(rows)
        memory.write(version, listed)
        self.root.mkdir(parents=True, exist_ok=True)
        packed = list(memory.neighbours(version, [row.item_id for row in listed]))
        (self.root / f"{version}.{part}").write_bytes(pickle.dumps(packed))
        return len(listed)

    def flip(self, pointer: Pointer, seen: Pointer | None) -> None:
        assert self.pointer() == seen
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "pointer").write_bytes(pickle.dumps(pointer))

    def put_popularity(self, rows: Iterable[Popularity]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "popularity").write_bytes(pickle.dumps(list(rows)))

    def popularity(self) -> list[Popularity]:
        """The rows put last."""
        rows: list[Popularity] = pickle.loads((self.root / "popularity").read_bytes())
        return rows

    def sweep(self, keep: Iterable[str], limit: int) -> int:
        return 0

    def rows(self, version: str) -> dict[str, Neighbours]:
        """Item id → row of a version, whichever parts it was written in."""
        parts = (pickle.loads(path.read_bytes()) for path in self.root.glob(f"{version}.*"))
        return {row.item_id: row for part in parts for row in part}
