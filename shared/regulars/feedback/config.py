"""The numbers and words of feedback; defaults in defaults.yaml, section `feedback` of shop.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from regulars.shop import section


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionConfig:
    """How long after a touch an order is credited to it; a kind in `excluded_kinds` is never credited. An order told again
    within `keep_orders_days` counts once."""

    clicked_hours: int
    opened_hours: int
    received_hours: int
    recommendation_days: int
    keep_orders_days: int
    excluded_kinds: tuple[str, ...]
    lookback_messages: int

    @property
    def recommendation(self) -> timedelta:
        return timedelta(days=self.recommendation_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackConfig:
    """`most_bytes` of a call; how old a notification may be when it comes, and how far its clock may be ahead of ours."""

    most_bytes: int
    age_seconds: int
    ahead_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackConfig:
    """`stop_words` and `start_words` are whole replies, `stop_openings` first words of longer ones; the machine lists are parts
    of, or whole, user agents; `machine_seconds`: channel → how soon after its delivery nobody can have read a message."""

    attribution: AttributionConfig
    stop_words: tuple[str, ...]
    stop_openings: tuple[str, ...]
    start_words: tuple[str, ...]
    machine_agents: tuple[str, ...]
    machine_agent_parts: tuple[str, ...]
    machine_seconds: Mapping[str, int]
    burst_milliseconds: int
    callbacks: CallbackConfig


def load(overrides: Mapping[str, Any] | None = None) -> FeedbackConfig:
    """The defaults with the operator's section laid over them; raises Invalid for a wrong key or type."""
    return section(FeedbackConfig, "feedback", overrides)
