"""Whatever the queue does to the order, the pieces and the number of deliveries, the profile is the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.shoppers import DAY, MINUTE, NOON, SHE, Shop, event, identify, same, unit

from regulars.capture.model import Event

ITEMS = ("mug", "tin", "rug", "lamp")
STORY_DAYS = 30
NAMES = (
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Product Added to Wishlist",
    "Product Removed from Wishlist",
    "Products Searched",
    "Order Completed",
    "Order Refunded",
    "Order Cancelled",
    "identify",
)


def deed(number: int, name: str, item: str, minutes: int, by_guest: bool) -> Event:
    """The `number`-th event of a story: its time has nothing to do with its place."""
    at = NOON + timedelta(minutes=minutes)
    who: dict[str, Any] = {"shopper": "anon:a1"} if by_guest else {"anonymous_id": "a1"}
    if name == "identify":
        return identify({"gender": item, "plan": str(number % 3)}, at, id=f"m{number}", **who)
    if name.startswith("Order "):
        properties = {"order_id": f"o{number % 4}", "total": float(number % 7 + 1) * 10, "products": [{"product_id": item}]}
        return event(name, at, id=f"m{number}", properties=properties, **who)
    return event(
        name, at, id=f"m{number}", properties={"product_id": item, "category": f"c-{item}", "dwell_seconds": 45}, **who
    )


deeds = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(ITEMS), st.integers(0, STORY_DAYS * 24 * 60), st.booleans()),
    min_size=1,
    max_size=25,
)


def wanted(story: tuple[Event, ...]) -> Any:
    """The profile after the story in the order of its times, one event a unit, once each."""
    shop = Shop(now=NOON + (STORY_DAYS + 1) * DAY)
    for it in sorted(story, key=lambda entry: (entry.at, entry.message_id)):
        shop.capture(unit([it]))
    shop.capture(unit([event("Signed In", NOON + STORY_DAYS * DAY, id="login", anonymous_id="a1")]))
    return shop.profile(), sorted({*shop.logged(), *shop.logged("anon:a1")})


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds, st.randoms(use_true_random=False))
def test_permutations_cuts_and_second_deliveries_change_nothing(drawn: list[tuple[str, str, int, bool]], rng: Any) -> None:
    story = tuple(deed(number, *entry) for number, entry in enumerate(drawn))
    shop = Shop(now=NOON + (STORY_DAYS + 1) * DAY)
    arriving = [*story, event("Signed In", NOON + STORY_DAYS * DAY, id="login", anonymous_id="a1")]
    rng.shuffle(arriving)
    units = []
    for shopper in ("anon:a1", SHE):
        theirs = [entry for entry in arriving if entry.shopper == shopper]
        while theirs:
            cut = rng.randint(1, len(theirs))
            units.append(unit(theirs[:cut], NOON + rng.randint(0, 27 * 24 * 60) * MINUTE))
            theirs = theirs[cut:]
    units += rng.choices(units, k=len(units))
    units += [unit([rng.choice([e for e in arriving if e.shopper == it.shopper])], NOON + 27 * DAY) for it in units[:3]]
    rng.shuffle(units)
    for it in units:
        shop.capture(it)
    profile, log = wanted(story)
    assert same(shop.profile(), profile, 1e-5)
    logged = [*shop.logged(), *shop.logged("anon:a1")]
    assert sorted(logged) == log
