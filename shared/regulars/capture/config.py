"""What a shop may tune in capture (section `capture` of shop.yaml; defaults in defaults.yaml beside this)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collecting:
    """Limits of the collecting API, and the shop's own words.

    `custom_events`: names of track calls beyond `regulars.capture.names`. `placeholder_ids`: what broken clients send
    where they have no id; taken at its word it would melt thousands of shoppers into one. `max_future_seconds` is judged
    after clock correction. `max_shared_context_bytes` bounds the `context` of a batch, which is copied into each of its
    entries. `max_age_days` only stops nonsense: importing years of history is legitimate.
    """

    max_call_bytes: int
    max_batch_bytes: int
    max_batch_entries: int
    max_shared_context_bytes: int
    max_future_seconds: int
    max_age_days: int
    max_id_characters: int
    max_depth: int
    quarantine_days: int
    custom_events: tuple[str, ...]
    placeholder_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """The section `capture`."""

    collecting: Collecting
