"""Counts become CloudWatch metrics (embedded metric format, written by Powertools); nothing is written for nothing."""

from __future__ import annotations

from collections.abc import Mapping


def count(counts: Mapping[str, int]) -> None:
    """One metric a name, under the function's service."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    if not counts:
        return
    metrics = EphemeralMetrics(namespace="Regulars")
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()
