"""roll_up_metrics: stream batches → counters, once each. write_reports: the daily report, kept as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from regulars.capture.model import Event
from regulars.clock import Clock, from_ms
from regulars.errors import GiveUp, Invalid
from regulars.feedback.attribution import Attribution
from regulars.metrics.changes import EVENTS, MESSAGES, Change
from regulars.metrics.config import MetricsConfig
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.ports import Counters, Entry, Sketches
from regulars.metrics.report import Report, build_report, lifecycle_summary
from regulars.metrics.rolling import active, event_counts, message_counts
from regulars.storage import Storage

ACTIVE = "active"
"""Name of the sketch of shoppers seen on a day."""
_UNREADABLE = (GiveUp, Invalid, KeyError, TypeError, ValueError, AttributeError)


class RollUpMetrics:
    """Counts a batch of changes. Attribution and sketches may be repeated, counters count once: so any part of a batch
    may come again. A change that cannot be understood is counted as such and never holds up its neighbours."""

    def __init__(self, counters: Counters, sketches: Sketches, attribution: Attribution, config: MetricsConfig) -> None:
        self._counters = counters
        self._sketches = sketches
        self._attribution = attribution
        self._config = config

    def __call__(self, changes: Sequence[Change]) -> Mapping[str, int]:
        """How many records were looked at, and how many of them were new."""
        entries: dict[str, list[Entry]] = {EVENTS: [], MESSAGES: []}
        for change in changes:
            counts = self._counts(change)
            if counts:
                entries[change.stream].append(Entry(change.sequence, change.created_at_s, counts))
        self._note_active([event for change in changes for event in change.events])
        counted = sum(self._counters.add_once(stream, found) for stream, found in entries.items() if found)
        return {"records": len(changes), "counted": counted}

    def _counts(self, change: Change) -> Counts:
        if change.unreadable:
            return _unreadable(change)
        try:
            if change.new is not None:
                return message_counts(change.old, change.new)
            total = Counts()
            for event in change.events:
                total.update(self._event(event))
            return total
        except _UNREADABLE:
            return _unreadable(change)

    def _event(self, event: Event) -> Counts:
        return event_counts(event, self._attribution.clicked(event), self._attribution.ordered(event))

    def _note_active(self, events: Sequence[Event]) -> None:
        for day, shoppers in active(events, self._config.feed_events).items():
            self._sketches.add(day, ACTIVE, shoppers)


def _unreadable(change: Change) -> Counts:
    day = from_ms(change.created_at_s * 1000).date()
    return Counts({CountKey(day, "stream", f"unreadable/{change.stream}"): 1})


class Reports:
    """Builds the report of any days; what `regulars report` and GET /v1/report call."""

    def __init__(
        self,
        counters: Counters,
        sketches: Sketches,
        storage: Storage,
        clock: Clock,
        load_config: Callable[[], MetricsConfig],
    ) -> None:
        self._counters = counters
        self._sketches = sketches
        self._storage = storage
        self._clock = clock
        self._load_config = load_config

    def report(self, day_from: date | None = None, day_to: date | None = None) -> Report:
        """The report of the days, both included; by default the window of the daily report ending today (UTC).

        Raises Invalid when the days are in the wrong order.
        """
        config = self._load_config()
        last = day_to or self._clock().date()
        first = day_from or last - timedelta(days=config.report_days - 1)
        if first > last:
            raise Invalid("the first day is after the last", field="from")
        return build_report(
            self._counters.read(first, last),
            first,
            last,
            goals=config.goals,
            ratio_alarm=config.ratio_alarm,
            made_at=self._clock(),
            active_shoppers=self._sketches.read(ACTIVE, first, last).size(),
            lifecycle=lifecycle_summary(self._storage, last),
        )


class WriteReports:
    """Keeps yesterday's report: `reports/kpi/day=<day>/report.json` and `report.md`."""

    def __init__(self, reports: Reports, storage: Storage, clock: Clock) -> None:
        self._reports = reports
        self._storage = storage
        self._clock = clock

    def __call__(self) -> Mapping[str, object]:
        """The day, the keys written, and how many goals were met of those measured."""
        day = self._clock().date() - timedelta(days=1)
        report = self._reports.report(day_to=day)
        prefix = f"reports/kpi/day={day.isoformat()}"
        body = json.dumps(report.to_wire(), ensure_ascii=False, indent=1)
        self._storage.put(f"{prefix}/report.json", body.encode(), "application/json")
        self._storage.put(f"{prefix}/report.md", report.markdown().encode(), "text/markdown; charset=utf-8")
        judged = [row.met for row in report.kpis if row.met is not None]
        return {"day": day.isoformat(), "prefix": prefix, "goals_met": sum(judged), "goals_measured": len(judged)}
