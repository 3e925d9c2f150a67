"""Goals and sizes of metrics; defaults in defaults.yaml, section `metrics` of shop.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regulars.shop import section


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """`goals` by KPI name, as fractions or in the KPI's unit. `report_days` is the window of the daily report.

    `ratio_alarm`: arms whose ratio would come by chance less often than this are told as a mismatch.
    """

    goals: Mapping[str, float]
    report_days: int
    feed_events: tuple[str, ...]
    ratio_alarm: float


def load(overrides: Mapping[str, Any] | None = None) -> MetricsConfig:
    """The defaults with the operator's section laid over them; raises Invalid for a wrong key or type."""
    return section(MetricsConfig, "metrics", overrides)
