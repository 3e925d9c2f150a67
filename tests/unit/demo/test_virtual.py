"""Virtual time: the schedules of flow.py at virtual instants, once each, however the time is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regulars.errors import Misconfigured
from regulars.flow import FLOW, Schedule
from regulars_demo.drive import BATCH_CALLS, in_batches
from regulars_demo.history import invoices, order_call
from regulars_demo.virtual import ClockFile, interval, runs

MIDNIGHT = datetime(2011, 11, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_every_schedule_is_understood() -> None:
    expressions = [wake.expression for function in FLOW for wake in function.woken_by if isinstance(wake, Schedule)]
    assert expressions
    assert all(interval(expression)[0] > timedelta() for expression in expressions)


def test_a_daily_schedule_runs_at_its_hour() -> None:
    assert interval("cron(15 2 * * ? *)") == (DAY, timedelta(hours=2, minutes=15))
    sweeps = [run.at for run in runs(MIDNIGHT, MIDNIGHT + 3 * DAY, HOUR, {}) if run.function == "sweep_lifecycle"]
    assert sweeps == [MIDNIGHT + n * DAY + timedelta(hours=2, minutes=15) for n in range(3)]


def test_an_unknown_expression_is_refused() -> None:
    with pytest.raises(Misconfigured):
        interval("cron(0 4 ? * MON *)")


@pytest.mark.parametrize("step", [HOUR, 5 * HOUR, DAY, 7 * DAY])
def test_however_time_is_cut_every_run_comes_once_and_in_order(step: timedelta) -> None:
    end = MIDNIGHT + 14 * DAY
    whole = list(runs(MIDNIGHT, end, HOUR, {}))
    cut, at = [], MIDNIGHT
    while at < end:
        until = min(at + step, end)
        cut += list(runs(at, until, HOUR, {}))
        at = until
    assert cut == whole
    assert [run.at for run in whole] == sorted(run.at for run in whole)
    assert len([run for run in whole if run.function == "fire_timers"]) == 14 * 24


def test_a_slowed_schedule_runs_less_often() -> None:
    seen = [run for run in runs(MIDNIGHT, MIDNIGHT + 28 * DAY, HOUR, {"fire_timers": 7 * DAY}) if run.function == "fire_timers"]
    assert len(seen) == 4


def test_the_clock_file_is_what_functions_read(tmp_path: Path) -> None:
    clock = ClockFile(tmp_path / "clock")
    clock.set(MIDNIGHT)
    assert clock.read() == MIDNIGHT


def test_the_sample_is_in_time_order_and_its_calls_keep_segments_limits() -> None:
    sample = invoices()
    assert [entry.at for entry in sample] == sorted(entry.at for entry in sample)
    calls = [order_call(entry) for entry in sample]
    batches = in_batches(calls)
    assert [call for batch in batches for call in batch] == calls
    assert max(len(batch) for batch in batches) <= BATCH_CALLS
    assert {call["event"] for call in calls} == {"Order Completed", "Order Refunded"}
