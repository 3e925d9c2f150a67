"""What an operator may not say."""

from __future__ import annotations

from typing import Any

import pytest

from regulars.errors import Invalid
from regulars.shop import section
from regulars.triggers.config import Triggers


@pytest.mark.parametrize(
    ("over", "path"),
    [
        ({"birthday": {"hour": 24}}, "triggers.birthday.hour"),
        ({"birthday": {"lead_days": -1}}, "triggers.birthday.lead_days"),
        ({"cart": {"wait_hours": 48}}, "triggers.cart.wait_hours"),
        ({"cart": {"wait": 4}}, "triggers.cart.wait"),
        ({"firing": {"workers": 0}}, "triggers.firing.workers"),
        ({"repurchase": {"default_days": "30"}}, "triggers.repurchase.default_days"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_path(over: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        section(Triggers, "triggers", {"triggers": over})
    assert caught.value.field == path


def test_a_setting_changed_leaves_the_others() -> None:
    numbers = section(Triggers, "triggers", {"triggers": {"cart": {"wait_hours": 2}}})
    assert (numbers.cart.wait_hours, numbers.cart.latest_hours) == (2.0, 24.0)
