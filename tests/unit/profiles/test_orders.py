"""What an order is worth, whether it counts, and on which days an item was bought."""

from __future__ import annotations

from datetime import date

import pytest

from regulars.profiles.orders import ALL, OrderRecord, purchases

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("cents", "refunds", "worth", "counts"),
    [
        (500, {}, 500, True),
        (0, {}, 0, True),  # a free sample
        (-500, {}, 0, True),
        (500, {"m": 200}, 300, True),
        (500, {"m": 200, "n": 300}, 0, False),
        (500, {"m": 900}, 0, False),
        (500, {"m": ALL}, 0, False),
        (500, {"m": ALL, "n": 100}, 0, False),
        (0, {"m": 100}, 0, False),
    ],
)
def test_an_order_is_worth_what_was_not_given_back(cents: int, refunds: dict[str, int], worth: int, counts: bool) -> None:
    paid = OrderRecord(order_id="o", placed_ms=frozenset({DAY_MS}), cents=cents, refunds=refunds)
    assert (paid.value_cents, paid.counts) == (worth, counts)
    assert not OrderRecord(order_id="o", cents=cents, refunds=refunds).counts


def test_days_of_an_item_are_distinct_and_in_order_whatever_the_ids() -> None:
    told = {"z": (1, ("mug", "tea")), "a": (3, ("mug",)), "m": (3, ("mug", "tea")), "b": (2, ("mug",))}
    orders = [
        OrderRecord(order_id=order_id, placed_ms=frozenset({day * DAY_MS + 5, day * DAY_MS + 9}), cents=1, items=items)
        for order_id, (day, items) in told.items()
    ]
    days = [date(1970, 1, 1 + day) for day in range(4)]
    assert purchases(orders) == {"mug": tuple(days[1:]), "tea": (days[1], days[3])}
