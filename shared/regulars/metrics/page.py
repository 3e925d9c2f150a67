"""docs/kpis.md, made of the definitions: `python -m regulars.metrics.page > docs/kpis.md`. A test compares the two."""

from __future__ import annotations

from regulars.feedback.config import load as load_feedback
from regulars.metrics import counts
from regulars.metrics.config import load
from regulars.metrics.model import KPIS, Kpi


def page() -> str:
    """The page, with the default goals and windows."""
    goals, windows = load().goals, load_feedback().attribution
    rows = [f"| {kpi.title} | {kpi.direction} {_goal(kpi, goals[kpi.name])} | {_how(kpi)} |" for kpi in KPIS]
    rows_text = "\n".join(rows)
    counters = (counts.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0]
    return f"""# KPIs

`regulars report`, `GET /v1/report` and the daily files `reports/kpi/day=…/report.{{json,md}}` in the data bucket show these
against their goals. Goals are configuration: section `metrics.goals` of `shop.yaml`.

| KPI | goal | how it is measured |
| --- | --- | --- |
{rows_text}

A KPI that is not measured says so in the report; one without data in the chosen days has no value and no verdict.

## What is counted

Everything is counted per day (UTC) of the deed, once per record of the event log and the message ledger, however often the
record is delivered. A ratio over one day can therefore pass 100 %: yesterday's messages are opened today. Opens and clicks by
machines (Apple Mail Privacy Protection, scanners) are counted apart and never as a response. Active shoppers are estimated
(HyperLogLog, standard error 2.3 %, near exact below some hundred).

```
{counters}
```

## What an order is credited to

One order, one message: the last one the shopper clicked within {windows.clicked_hours} hours before it; when she clicked none,
the last one she opened or read within {windows.opened_hours} hours; else the last one she received within
{windows.received_hours} hours. Never credited: {", ".join(windows.excluded_kinds)}. Feedback that is reported after the order
still earns it while no other message has it. An order told again within {windows.keep_orders_days} days counts once.

An order counts for a recommendation when it holds an item that the shopper clicked there within
{windows.recommendation_days} days before; the last such click decides the scene. Clients tell it by `recommendation_id` on
`Product List Viewed` (the list was seen) and on `Product Clicked`, `Product Viewed` or `Product Added` (an item was clicked).
"""


def _goal(kpi: Kpi, goal: float) -> str:
    if kpi.unit == "share":
        return f"{goal * 100:g} %"
    return f"{goal:g} min" if kpi.unit == "minutes" else f"{goal:g}"


def _how(kpi: Kpi) -> str:
    return f"Not measured: {kpi.missing}. Would be: {kpi.how}" if kpi.missing else kpi.how


if __name__ == "__main__":
    print(page(), end="")
