"""Metrics: counters and reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from regulars import settings
from regulars.clock import Clock
from regulars.compose.feedback import make_attribution, make_ledger
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.adapters.lambda_batch import StreamRecord
    from regulars.metrics.service import Reports, WriteReports
    from regulars.storage import Storage


def roll_up_metrics(environ: Mapping[str, str] | None = None) -> Callable[[Sequence[StreamRecord]], object]:
    """Counters and sketches, and attribution for orders and clicks."""
    from regulars.adapters.dynamodb.changes import changes
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.metrics.config import load
    from regulars.metrics.service import RollUpMetrics
    from regulars.shop import overrides

    loaded, _ = settings_and_clock(settings.RollUpMetrics, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    # Contacts and suppressions speak in claims only, and metrics claim nothing.
    attribution, _ = make_attribution(make_ledger(loaded.messages_table, "", ""), loaded.metrics_table, changed)
    counters, sketches = DynamoCounters(loaded.metrics_table), DynamoSketches(loaded.metrics_table)
    roll_up = RollUpMetrics(counters, sketches, attribution, load(changed))
    return lambda records: roll_up(list(changes(records, messages_table=loaded.messages_table)))


def write_reports(environ: Mapping[str, str] | None = None) -> WriteReports:
    """The report of the counters, kept in the data bucket."""
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.metrics.service import WriteReports

    loaded, clock = settings_and_clock(settings.WriteReports, environ)
    storage = S3Storage(loaded.data_bucket)
    return WriteReports(reports(loaded.metrics_table, storage, clock), storage, clock)


def reports(metrics_table: str, storage: Storage, clock: Clock) -> Reports:
    """What builds the KPI report of any days."""
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.metrics.config import load
    from regulars.metrics.service import Reports
    from regulars.shop import overrides

    counters, sketches = DynamoCounters(metrics_table), DynamoSketches(metrics_table)
    return Reports(counters, sketches, storage, clock, lambda: load(overrides(storage)))
