"""KPI arithmetic, goals, what is not measured, and the forms of the report."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from regulars.adapters.memory.metrics import MemoryCounters, MemorySketches
from regulars.adapters.memory.storage import MemoryStorage
from regulars.errors import Invalid
from regulars.metrics.config import load
from regulars.metrics.counts import CountKey, Counts
from regulars.metrics.model import KPIS, Sums
from regulars.metrics.ports import Entry
from regulars.metrics.report import Report, Row, build_report, lifecycle_summary
from regulars.metrics.service import ACTIVE, Reports, WriteReports

DAY = date(2026, 8, 5)
NOW = datetime(2026, 8, 6, 4, 0, tzinfo=UTC)
CONFIG = load()
COUNTS = {
    ("recommendations/home", "seen"): 90,
    ("recommendations/cart", "seen"): 10,
    ("recommendations/home", "clicked"): 20,
    ("recommendations/home", "ordered"): 3,
    ("messages/cart_abandoned", "decided"): 60,
    ("messages/cart_abandoned", "sent/email"): 30,
    ("messages/cart_abandoned", "sent/push"): 10,
    ("messages/cart_abandoned", "delivered/email"): 25,
    ("messages/cart_abandoned", "responded/email"): 8,
    ("messages/cart_abandoned", "complained/email"): 1,
    ("messages/cart_abandoned", "opened/email"): 9,
    ("messages/cart_abandoned", "machine_opened/email"): 4,
    ("messages/cart_abandoned", "withheld/no_consent"): 15,
    ("messages/cart_abandoned", "lapsed/answered_by_order"): 5,
    ("messages/cart_abandoned", "orders/email"): 2,
    ("messages/cart_abandoned", "revenue_cents/email"): 12345,
    ("messages/order_update", "sent/email"): 100,
    ("messages/order_update", "responded/email"): 100,
    ("orders", "count"): 7,
    ("orders", "revenue_cents/GBP"): 70000,
    ("events", "total"): 1234,
}
COUNTERS = {CountKey(DAY, group, field): value for (group, field), value in COUNTS.items()}
LIFECYCLE = {
    "retained_90_days": 46, "retainable_90_days": 100, "buyers": 200, "repeat_buyers": 60,
    "high_value": 10, "high_value_retained": 9, "shoppers": 1000, "tag_coverage": 0.94,
}  # fmt: skip


def report(counters: Any = COUNTERS, lifecycle: Any = LIFECYCLE) -> Report:
    return build_report(
        counters,
        DAY,
        DAY,
        goals=CONFIG.goals,
        ratio_alarm=CONFIG.ratio_alarm,
        made_at=NOW,
        active_shoppers=321,
        lifecycle=lifecycle,
    )


def rows(**arguments: Any) -> dict[str, Row]:
    return {row.kpi.name: row for row in report(**arguments).kpis}


@pytest.mark.parametrize(
    ("name", "value", "met", "n"),
    [
        ("recommendation_ctr", 20 / 100, True, 100),
        ("recommendation_conversion", 3 / 20, True, 20),
        ("response", 8 / 40, False, 40),
        ("complaints", 1 / 25, False, 25),
        ("retention_90_days", 0.46, True, 100),
        ("repurchase", 0.30, False, 200),
        ("high_value_retention", 0.90, True, 10),
        ("tag_coverage", 0.94, False, 1000),
    ],
)
def test_each_kpi_against_its_goal(name: Any, value: Any, met: Any, n: Any) -> None:
    row = rows()[name]
    assert row.value == pytest.approx(value)
    assert (row.met, row.n, row.note) == (met, n, "")


@pytest.mark.parametrize("name", ["recommendation_uplift", "roi", "session_minutes"])
def test_what_is_not_captured_is_said_not_guessed(name: Any) -> None:
    row = rows()[name]
    assert (row.value, row.met) == (None, None)
    assert row.note.startswith("not measured: ")


def test_without_data_there_is_no_value_and_no_verdict() -> None:
    for row in rows(counters={}, lifecycle=None).values():
        assert (row.value, row.met, row.n) == (None, None, 0)
        assert row.note


def test_complaints_are_judged_by_what_was_sent_where_no_deliveries_are_reported() -> None:
    counters = {key: value for key, value in COUNTERS.items() if not key.field.startswith("delivered")}
    assert rows(counters=counters)["complaints"].n == 130


def test_every_kpi_of_the_board_has_a_goal_and_the_goals_are_those_required() -> None:
    assert {kpi.name for kpi in KPIS} == set(CONFIG.goals)
    assert CONFIG.goals["recommendation_ctr"] == 0.18
    assert CONFIG.goals["recommendation_conversion"] == 0.05
    assert CONFIG.goals["recommendation_uplift"] == 0.60
    assert (CONFIG.goals["response"], CONFIG.goals["roi"], CONFIG.goals["complaints"]) == (0.25, 4, 0.005)
    assert (CONFIG.goals["retention_90_days"], CONFIG.goals["repurchase"]) == (0.45, 0.35)
    assert (CONFIG.goals["high_value_retention"], CONFIG.goals["session_minutes"]) == (0.90, 8)
    assert 0.90 <= CONFIG.goals["tag_coverage"] <= 0.95


def test_goals_are_configuration() -> None:
    assert load({"metrics": {"goals": {"response": 0.1}}}).goals["response"] == 0.1
    with pytest.raises(Invalid, match="report_dayz"):
        load({"metrics": {"report_dayz": 7}})


def test_sums_add_days_and_fields_under_a_root() -> None:
    sums = Sums.of({CountKey(DAY, "messages/a", "sent/email"): 1, CountKey(date(2026, 8, 4), "messages/a", "sent/email"): 2,
                    CountKey(DAY, "messages/b", "sent/push"): 4, CountKey(DAY, "messages/b", "sentinel"): 8})  # fmt: skip
    assert sums.total("messages", "sent") == 7
    assert sums.total("messages/a", "sent/email") == 3


def test_the_report_tells_silence_by_reason_and_credit_by_kind() -> None:
    made = report()
    assert made.reasons == {"no_consent": 15, "answered_by_order": 5}
    assert made.credited == {"cart_abandoned": (2, 12345)}
    assert made.messages["cart_abandoned"]["sent"] == 40
    assert made.activity["opens by machines, left out"] == 4


def test_text_markdown_and_json_say_the_same() -> None:
    made = report()
    text, markdown, wire = made.text(), made.markdown(), made.to_wire()
    for part in ("Recommendation click-through", "20.0%", "≥ 18.0%", "123.45", "700.00", "321", "no_consent"):
        assert part in text
        assert part in markdown
    assert json.loads(json.dumps(wire)) == wire
    kpi = next(row for row in wire["kpis"] if row["name"] == "response")
    assert (kpi["value"], kpi["goal"], kpi["met"], kpi["n"]) == (0.2, 0.25, False, 40)
    assert max(map(len, text.splitlines())) < 170


def test_the_newest_lifecycle_summary_not_after_the_day_is_used() -> None:
    storage = MemoryStorage()
    assert lifecycle_summary(storage, DAY) is None
    for day, shoppers in (("2026-08-03", 1), ("2026-08-05", 2), ("2026-08-06", 3)):
        storage.put(f"profiles/sweep/day={day}.json", json.dumps({"shoppers": shoppers, "note": "x"}).encode())
    assert lifecycle_summary(storage, DAY) == {"shoppers": 2.0}


def reports(storage: MemoryStorage) -> Reports:
    counters, sketches = MemoryCounters(), MemorySketches()
    counters.add_once("events", [Entry("1", 0, Counts(COUNTERS))])
    sketches.add(DAY, ACTIVE, ["user:1", "user:2"])
    return Reports(counters, sketches, storage, lambda: NOW, lambda: CONFIG)


def test_write_reports_keeps_yesterday_as_json_and_markdown() -> None:
    storage = MemoryStorage()
    summary = WriteReports(reports(storage), storage, lambda: NOW)()
    assert summary == {"day": "2026-08-05", "prefix": "reports/kpi/day=2026-08-05", "goals_met": 2, "goals_measured": 4}
    kept = json.loads(storage.objects["reports/kpi/day=2026-08-05/report.json"])
    assert (kept["from"], kept["to"]) == ("2026-07-07", "2026-08-05")
    assert kept["activity"]["active shoppers (about)"] == 2
    assert storage.objects["reports/kpi/day=2026-08-05/report.md"].startswith(b"# KPI report")


def test_days_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(Invalid):
        reports(MemoryStorage()).report(date(2026, 8, 6), DAY)
