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
    """Counters and sketches, attribution for orders and clicks; the health of channels, counted last: it knows by itself
    what it counted before."""
    from regulars.adapters.counters import count
    from regulars.adapters.dynamodb.changes import changes
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.adapters.dynamodb.limits import DynamoGauges, DynamoPauses
    from regulars.adapters.lambda_batch import logger
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.channels.config import ChannelSettings
    from regulars.channels.watching import CHANNEL_PAUSED, WatchHealth
    from regulars.metrics.config import load
    from regulars.metrics.service import RollUpMetrics
    from regulars.shop import overrides, section

    def tell(channel: str, reason: str, detail: str) -> None:
        logger().error("channel paused", extra={"code": "channel_paused", "channel": channel, "reason": f"{reason}: {detail}"})
        count({CHANNEL_PAUSED: 1})

    loaded, clock = settings_and_clock(settings.RollUpMetrics, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    # Contacts and suppressions speak in claims only, and metrics claim nothing.
    attribution, _ = make_attribution(make_ledger(loaded.messages_table, "", ""), loaded.metrics_table, changed)
    counters, sketches = DynamoCounters(loaded.metrics_table), DynamoSketches(loaded.metrics_table)
    roll_up = RollUpMetrics(counters, sketches, attribution, load(changed))
    health = section(ChannelSettings, "channels", changed).health
    gauges, pauses = DynamoGauges(loaded.channels_table), DynamoPauses(loaded.channels_table)
    watch = WatchHealth(gauges, pauses, health, clock, tell)

    def run(records: Sequence[StreamRecord]) -> object:
        found = list(changes(records, messages_table=loaded.messages_table))
        summary = roll_up(found)
        watch([(change.old, change.new) for change in found if change.new])
        return summary

    return run


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
