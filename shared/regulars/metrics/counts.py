"""Counters: one number per day, group and field.

    group                     fields
    events                    total, shoppers are a sketch; <type> or track/<name>
    orders                    count, revenue_cents/<currency>, refunds, repeated
    recommendations/<scene>   seen, clicked, ordered, revenue_cents
    messages/<kind>           decided, planned/<channel>, sent/…, failed/…, unknown/…, settled/…, withheld/<reason>,
                              deferred/<reason>, lapsed/<reason>, delivered/<channel>, opened/…, clicked/…, read/…,
                              machine_opened/…, machine_clicked/…, bounced/…, complained/…, unsubscribed/…, converted/…,
                              responded/…, orders/…, revenue_cents/…
    arms/<experiment>         <arm>/<share>/<draw>: shoppers, at their first decision under that draw
    stream                    unreadable/<table>

A deed counts on the day (UTC) it was done, not on the day it was reported or its message was sent.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import NamedTuple


class CountKey(NamedTuple):
    """Which counter."""

    day: date
    group: str
    field: str


Counts = Counter[CountKey]
"""Sums to be added, by counter."""
