"""The KPI report: every KPI against its goal, messages by kind, silence by reason, activity. Text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from regulars.decisions.reasons import sentence
from regulars.metrics.counts import CountKey
from regulars.metrics.model import AT_LEAST, KPIS, Kpi, Lifecycle, Sums
from regulars.metrics.ratios import ARMS, Ratio, ratios
from regulars.storage import Storage

LIFECYCLE_PREFIX = "profiles/sweep/day="
"""Where the daily sweep keeps its summary: `profiles/sweep/day=<day>.json`."""
LIFECYCLE_NUMBERS = (
    "retained_90_days",
    "retainable_90_days",
    "buyers",
    "repeat_buyers",
    "high_value",
    "high_value_retained",
    "shoppers",
    "tag_coverage",
)
_STEPS = ("decided", "sent", "delivered", "opened", "clicked", "converted", "withheld", "lapsed", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Row:
    """One KPI: `value` None when it is not measured or nothing happened, and then `note` says why. `n`: denominator."""

    kpi: Kpi
    goal: float
    value: float | None
    n: int
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when there is no value."""
        if self.value is None:
            return None
        return self.value >= self.goal if self.kpi.direction == AT_LEAST else self.value <= self.goal

    def to_wire(self) -> dict[str, Any]:
        return {
            "name": self.kpi.name,
            "title": self.kpi.title,
            "unit": self.kpi.unit,
            "direction": self.kpi.direction,
            "goal": self.goal,
            "value": None if self.value is None else round(self.value, 6),
            "met": self.met,
            "n": self.n,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `build_report` made. `messages`: kind → step → count; `reasons`: code → how often nothing was sent for it;
    `credited`: kind → (orders, revenue in cents). `arms`: the sample-ratio check of every control group."""

    day_from: date
    day_to: date
    made_at: datetime
    kpis: tuple[Row, ...]
    messages: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    credited: Mapping[str, tuple[int, int]]
    recommendations: Mapping[str, Mapping[str, int]]
    activity: Mapping[str, int]
    revenue_cents: Mapping[str, int]
    arms: tuple[Ratio, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "from": self.day_from.isoformat(),
            "to": self.day_to.isoformat(),
            "made_at": self.made_at.isoformat(),
            "kpis": [row.to_wire() for row in self.kpis],
            "messages": {kind: dict(steps) for kind, steps in self.messages.items()},
            "silence": dict(self.reasons),
            "credited": {kind: {"orders": orders, "revenue_cents": cents} for kind, (orders, cents) in self.credited.items()},
            "recommendations": {scene: dict(fields) for scene, fields in self.recommendations.items()},
            "activity": dict(self.activity),
            "revenue_cents": dict(self.revenue_cents),
            "control_groups": [ratio.to_wire() for ratio in self.arms],
        }

    def text(self) -> str:
        """For a terminal."""
        parts = [f"{title}\n{_table(rows)}" for title, rows in self._tables() if len(rows) > 1]
        return f"KPI report, {self._days()}\n\n" + "\n\n".join(parts) + "\n"

    def markdown(self) -> str:
        """For people and archives."""
        parts = [f"## {title}\n\n{_markdown_table(rows)}" for title, rows in self._tables() if len(rows) > 1]
        return f"# KPI report, {self._days()}\n\n" + "\n\n".join(parts) + "\n"

    def _days(self) -> str:
        return f"{self.day_from} to {self.day_to} (UTC)"

    def _tables(self) -> list[tuple[str, list[list[str]]]]:
        return [
            ("Goals", [["KPI", "value", "goal", "met", "n"], *map(_kpi_cells, self.kpis)]),
            ("Activity", [["what", "count"], *_cells(self.activity), *_money_cells(self.revenue_cents)]),
            ("Messages", [["kind", *_STEPS], *_step_cells(self.messages)]),
            ("Credited to messages", [["kind", "orders", "revenue"], *_credit_cells(self.credited)]),
            ("Control groups", [["experiment", "share", "control", "treated", "p", "ratio"], *map(_arm_cells, self.arms)]),
            ("Why nothing was sent", [["times", "reason", "meaning"], *_reason_cells(self.reasons)]),
            ("Recommendations", [["scene", "seen", "clicked", "ordered"], *_scene_cells(self.recommendations)]),
        ]


def build_report(
    counters: Mapping[CountKey, int],
    day_from: date,
    day_to: date,
    *,
    goals: Mapping[str, float],
    ratio_alarm: float,
    made_at: datetime,
    active_shoppers: int,
    lifecycle: Lifecycle | None = None,
) -> Report:
    """The report of the counters of the days, both included. KeyError when a KPI has no goal."""
    sums = Sums.of(counters)
    kinds = sums.by("messages")
    return Report(
        day_from=day_from,
        day_to=day_to,
        made_at=made_at,
        kpis=tuple(measure(kpi, goals[kpi.name], sums, lifecycle) for kpi in KPIS),
        messages={kind: _steps(fields) for kind, fields in sorted(kinds.items())},
        reasons=_silence(kinds),
        credited={
            kind: (_sum(fields, "orders"), _sum(fields, "revenue_cents"))
            for kind, fields in sorted(kinds.items())
            if _sum(fields, "orders")
        },
        recommendations=dict(sorted(sums.by("recommendations").items())),
        activity={
            "events": sums.total("events", "total"),
            "active shoppers (about)": active_shoppers,
            "orders": sums.total("orders", "count"),
            "refunds": sums.total("orders", "refunds"),
            "messages decided": sums.total("messages", "decided"),
            "messages sent": sums.total("messages", "sent"),
            "opens by machines, left out": sums.total("messages", "machine_opened"),
            "clicks by machines, left out": sums.total("messages", "machine_clicked"),
            "stream records not understood": sums.total("stream", "unreadable"),
        },
        revenue_cents=_sub_sums(sums, "orders", "revenue_cents"),
        arms=ratios(sums.by(ARMS), ratio_alarm),
    )


def measure(kpi: Kpi, goal: float, sums: Sums, lifecycle: Lifecycle | None) -> Row:
    """One KPI. Without a formula, or with nothing to divide by, there is no value but a note."""
    if kpi.formula is None:
        return Row(kpi, goal, None, 0, f"not measured: {kpi.missing}")
    numerator, denominator = kpi.formula(sums, lifecycle or {})
    if not denominator:
        return Row(kpi, goal, None, 0, "no data in these days")
    return Row(kpi, goal, numerator / denominator, round(denominator))


def lifecycle_summary(storage: Storage, day: date) -> Lifecycle | None:
    """The newest summary of the lifecycle sweep not after `day`; None when there is none yet."""
    kept = [key for key in storage.list(LIFECYCLE_PREFIX) if key.endswith(".json") and _day_in(key) <= day.isoformat()]
    body = storage.get(max(kept, key=_day_in)) if kept else None
    if body is None:
        return None
    summary = json.loads(body)
    return {name: float(summary[name]) for name in LIFECYCLE_NUMBERS if isinstance(summary.get(name), int | float)}


def _day_in(key: str) -> str:
    return key.removeprefix(LIFECYCLE_PREFIX)[:10]


def _steps(fields: Mapping[str, int]) -> dict[str, int]:
    steps = {step: _sum(fields, step) for step in _STEPS}
    return {**steps, "opened": steps["opened"] + _sum(fields, "read")}


def _sum(fields: Mapping[str, int], root: str) -> int:
    return sum(value for field, value in fields.items() if field == root or field.startswith(f"{root}/"))


def _silence(kinds: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for fields in kinds.values():
        for field, value in fields.items():
            word, _, reason = field.partition("/")
            if word in ("withheld", "lapsed") and reason:
                found[reason] = found.get(reason, 0) + value
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _sub_sums(sums: Sums, group: str, root: str) -> dict[str, int]:
    prefix = f"{root}/"
    return {
        field.removeprefix(prefix): value
        for (name, field), value in sorted(sums.values.items())
        if name == group and field.startswith(prefix)
    }


def _kpi_cells(row: Row) -> list[str]:
    met = "–" if row.met is None else "yes" if row.met else "no"
    value = row.note if row.value is None else _amount(row.value, row.kpi.unit)
    return [row.kpi.title, value, f"{row.kpi.direction} {_amount(row.goal, row.kpi.unit)}", met, f"{row.n:,}"]


def _amount(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    return f"{value:.1f} min" if unit == "minutes" else f"{value:.2f}"


def _arm_cells(ratio: Ratio) -> list[str]:
    verdict = "too few to tell" if ratio.p is None else "MISMATCH: do not trust it" if ratio.mismatch else "sound"
    p = "–" if ratio.p is None else f"{ratio.p:.3g}"
    return [ratio.experiment, f"{ratio.share:.1%}", f"{ratio.held:,}", f"{ratio.treated:,}", p, verdict]


def _cells(values: Mapping[str, int]) -> list[list[str]]:
    return [[name, f"{value:,}"] for name, value in values.items() if value]


def _money_cells(revenue: Mapping[str, int]) -> list[list[str]]:
    return [[f"revenue {currency}".removesuffix(" -"), _money(cents)] for currency, cents in revenue.items()]


def _step_cells(messages: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    return [[kind, *(f"{steps[step]:,}" for step in _STEPS)] for kind, steps in messages.items()]


def _credit_cells(credited: Mapping[str, tuple[int, int]]) -> list[list[str]]:
    return [[kind, f"{orders:,}", _money(cents)] for kind, (orders, cents) in credited.items()]


def _reason_cells(reasons: Mapping[str, int]) -> list[list[str]]:
    return [[f"{times:,}", code, sentence(code)] for code, times in reasons.items()]


def _scene_cells(scenes: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    return [
        [scene, *(f"{fields.get(name, 0):,}" for name in ("seen", "clicked", "ordered"))] for scene, fields in scenes.items()
    ]


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]])


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
