"""The KPIs of the board: what is divided by what, over which inputs, and why some cannot be measured yet.

A KPI is measured from counters or from the daily lifecycle summary, or it says what is missing; nothing is estimated from
what was not captured. Goals are configuration (`metrics.goals`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from regulars.metrics.counts import CountKey

AT_LEAST = "≥"
AT_MOST = "≤"


@dataclass(frozen=True, slots=True)
class Sums:
    """Counters summed over days: what the KPI formulas read."""

    values: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, counters: Mapping[CountKey, int]) -> Sums:
        values: dict[tuple[str, str], int] = {}
        for key, value in counters.items():
            values[key.group, key.field] = values.get((key.group, key.field), 0) + value
        return cls(values)

    def total(self, group: str, field: str) -> int:
        """The sum over groups `group` or `group/…` of the fields `field` or `field/…`."""
        return sum(value for (g, f), value in self.values.items() if _under(g, group) and _under(f, field))

    def by(self, group: str) -> dict[str, dict[str, int]]:
        """Sub-group → field → sum, for the groups `group/…`."""
        found: dict[str, dict[str, int]] = {}
        for (name, field), value in self.values.items():
            if name.startswith(f"{group}/"):
                found.setdefault(name[len(group) + 1 :], {})[field] = value
        return found


def _under(name: str, root: str) -> bool:
    return name == root or name.startswith(f"{root}/")


Lifecycle = Mapping[str, float]
"""Numbers out of the daily lifecycle summary, by name; see `report.LIFECYCLE_NUMBERS`."""
Formula = Callable[[Sums, Lifecycle], tuple[float, float]]
"""→ (numerator, denominator); a denominator of 0 means no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """`unit`: share (0…1), ratio or minutes. `how` says numerator ÷ denominator in words. `missing` is the reason why it
    is not measured; then there is no formula."""

    name: str
    title: str
    direction: str
    unit: str
    how: str
    formula: Formula | None = None
    missing: str = ""


def _complaints(sums: Sums, lifecycle: Lifecycle) -> tuple[float, float]:
    # SES judges senders by complaints ÷ deliveries; a provider that reports no deliveries is judged by what it took.
    delivered = sums.total("messages", "delivered/email") or sums.total("messages", "sent/email")
    return sums.total("messages", "complained/email"), delivered


def _share(numerator: str, denominator: str) -> Formula:
    return lambda sums, lifecycle: (lifecycle.get(numerator, 0), lifecycle.get(denominator, 0))


KPIS: tuple[Kpi, ...] = (
    Kpi(
        name="recommendation_ctr",
        title="Recommendation click-through",
        direction=AT_LEAST,
        unit="share",
        how="different items clicked in recommendations (Product Clicked, Viewed or Added with a recommendation_id) ÷ "
        "recommendation lists seen (Product List Viewed with a recommendation_id)",
        formula=lambda sums, _: (sums.total("recommendations", "clicked"), sums.total("recommendations", "seen")),
    ),
    Kpi(
        name="recommendation_conversion",
        title="Recommendation order conversion",
        direction=AT_LEAST,
        unit="share",
        how="orders that hold an item clicked in a recommendation within the window before ÷ items clicked in recommendations",
        formula=lambda sums, _: (sums.total("recommendations", "ordered"), sums.total("recommendations", "clicked")),
    ),
    Kpi(
        name="recommendation_uplift",
        title="Uplift over non-personalised",
        direction=AT_LEAST,
        unit="share",
        how="conversion of personalised lists ÷ conversion of a random control group's lists − 1",
        missing="no control group gets non-personalised lists",
    ),
    Kpi(
        name="response",
        title="Message response",
        direction=AT_LEAST,
        unit="share",
        how="messages clicked by a shopper or credited with an order (each once) ÷ messages sent, order updates left out",
        formula=lambda sums, _: (_marketing(sums, "responded"), _marketing(sums, "sent")),
    ),
    Kpi(
        name="roi",
        title="Return on marketing cost",
        direction=AT_LEAST,
        unit="ratio",
        how="revenue credited to messages ÷ (discounts given + provider fees)",
        missing="discounts given and provider fees are not captured",
    ),
    Kpi(
        name="complaints",
        title="Complaints",
        direction=AT_MOST,
        unit="share",
        how="e-mails marked as spam ÷ e-mails delivered (sent, where no deliveries are reported)",
        formula=_complaints,
    ),
    Kpi(
        name="retention_90_days",
        title="90-day retention",
        direction=AT_LEAST,
        unit="share",
        how="shoppers who ordered in the 90 days before the last 90 and again in the last 90 ÷ those who ordered in the former",
        formula=_share("retained_90_days", "retainable_90_days"),
    ),
    Kpi(
        name="repurchase",
        title="Repurchase",
        direction=AT_LEAST,
        unit="share",
        how="shoppers with two or more orders ÷ shoppers with an order",
        formula=_share("repeat_buyers", "buyers"),
    ),
    Kpi(
        name="high_value_retention",
        title="High-value retention",
        direction=AT_LEAST,
        unit="share",
        how="shoppers of the high tier who are not churn-risk, dormant or lost ÷ shoppers of the high tier",
        formula=_share("high_value_retained", "high_value"),
    ),
    Kpi(
        name="session_minutes",
        title="Session length",
        direction=AT_LEAST,
        unit="minutes",
        how="mean time from the first to the last event of a visit, visits parted by 30 quiet minutes",
        missing="visits are not cut out of the event log",
    ),
    Kpi(
        name="tag_coverage",
        title="Tag coverage",
        direction=AT_LEAST,
        unit="share",
        how="shoppers with enough usable tags (profiles.coverage) ÷ known shoppers",
        formula=lambda _, numbers: (numbers.get("tag_coverage", 0) * numbers.get("shoppers", 0), numbers.get("shoppers", 0)),
    ),
)


def _marketing(sums: Sums, field: str) -> int:
    return sums.total("messages", field) - sums.total("messages/order_update", field)
