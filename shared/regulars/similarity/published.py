"""Sequence models in the data bucket: `models/sequence/<version>.npz` is served, `<version>.held-out.npz` learned from less and
says what the model is worth, and `models/sequence/live.json` names the version that the next search may take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from regulars.errors import GiveUp, Invalid
from regulars.similarity.model import sequence_key
from regulars.similarity.sequence import SequenceModel, from_bytes
from regulars.storage import Storage

LIVE = "models/sequence/live.json"
_HELD_OUT = ".held-out"


@dataclass(frozen=True, slots=True)
class Published:
    """`held_out` reads the model that was kept from the newest events; it raises GiveUp(broken_model) where it cannot."""

    version: str
    held_out: Callable[[], SequenceModel]


def publish(storage: Storage, version: str, whole: SequenceModel, held_out: SequenceModel) -> None:
    """Both models, then the pointer to them; versions but this one and the one before are deleted. Raises Invalid when the
    held-out one learned from as much as the other: then nothing could be said of them."""
    if held_out.until_ms >= whole.until_ms:
        raise Invalid("the model that is judged must have learned from less than the one that is served", code="not_held_out")
    before = _live(storage)
    storage.put(sequence_key(version), whole.to_bytes())
    storage.put(sequence_key(version + _HELD_OUT), held_out.to_bytes())
    storage.put(LIVE, json.dumps({"version": version, "until_ms": whole.until_ms}).encode(), "application/json")
    kept = {sequence_key(name + suffix) for name in (version, before) for suffix in ("", _HELD_OUT)}
    for key in list(storage.list("models/sequence/")):
        if key.endswith(".npz") and key not in kept:
            storage.delete(key)


def published_in(storage: Storage) -> Published | None:
    """What the next search may take; None without one. Nothing large is read yet."""
    version = _live(storage)
    return Published(version, partial(_read, storage, version)) if version else None


def _read(storage: Storage, version: str) -> SequenceModel:
    body = storage.get(sequence_key(version + _HELD_OUT))
    if body is None:
        raise GiveUp(f"{sequence_key(version + _HELD_OUT)} is gone", code="broken_model")
    return from_bytes(body)


def _live(storage: Storage) -> str:
    try:
        return str(json.loads(storage.get(LIVE) or b"{}")["version"])
    except (ValueError, KeyError, TypeError):
        return ""
