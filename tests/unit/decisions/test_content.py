"""What a message will say: items that are still to be had, tone, language, offer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.decisions import EVENING, SHE, ShopWindow, moment, numbers

from regulars.channels.content import Content
from regulars.channels.model import Contact
from regulars.decisions.content import compose
from regulars.profiles.model import Profile

HER = Profile(shopper=SHE, as_of=EVENING)


def content(kind: str = "cart_abandoned", channel: str = "email", window: ShopWindow | None = None, **given: Any) -> Content:
    profile = replace(HER, **given.pop("profile", {}))
    contact = Contact(shopper=SHE, version=1, **given.pop("contact", {}))
    config = replace(numbers(), **given.pop("config", {}))
    made = compose(moment(kind, **given), profile, contact, channel, window or ShopWindow(), config, EVENING)
    assert made is not None
    return made


def ids(made: Content) -> list[str]:
    return [item.item_id for item in made.items]


def test_sold_out_and_unknown_items_are_left_out() -> None:
    window = ShopWindow()
    window.sell_out("i1")
    assert ids(content(window=window, facts={"items": ["gone", "i1", "i2"]})) == ["i2"]


def test_the_last_item_put_into_the_cart_comes_first() -> None:
    assert ids(content(facts={"items": ["i1", "i2", "i3"]})) == ["i3", "i2", "i1"]
    assert ids(content("repurchase_due", facts={"items": ["i1", "i2"]})) == ["i1", "i2"]


def test_a_short_channel_shows_one_item() -> None:
    assert len(content(channel="push").items) == 1
    assert len(content(channel="sms").items) == 1


def test_each_item_says_why_it_is_there() -> None:
    assert [item.reason for item in content().items] == ["in_cart", "in_cart"]
    assert content("browse_abandoned").items[0].reason == "viewed"
    assert content("winback_dormant", facts={}).items[0].reason == "favourite"


def test_recommended_items_fill_up_without_repeating() -> None:
    window = ShopWindow()
    assert ids(content("winback_dormant", facts={"items": ["i2"]}, window=window)) == ["i2", "i1", "i3"]
    assert window.picked_for == ["winback_dormant"]  # the kind decides which scene answers


def test_an_item_carries_its_price_of_now() -> None:
    shown = content().items[0]
    assert (shown.title, shown.price_cents, shown.currency, shown.url) == ("Vase", 1_200, "GBP", "https://shop.example/i2")


def test_the_tone_follows_what_the_shopper_is_sensitive_to() -> None:
    assert content().tone == "plain"
    assert content(profile={"rule_tags": frozenset({"price-sensitive"})}).tone == "discount"
    assert content(profile={"rule_tags": frozenset({"quality-sensitive"})}).tone == "craft"
    assert content(profile={"tags": {"behaviour/habit/bargain-hunter": 2.5}}).tone == "discount"
    assert content(profile={"tags": {"behaviour/habit/bargain-hunter": 1.5}}).tone == "plain"
    both = {"behaviour/habit/bargain-hunter": 2.5, "behaviour/habit/reviewer": 4.0}
    assert content(profile={"tags": both}).tone == "craft"


def test_the_offer_is_worded_in_tone_and_language() -> None:
    plain = content("repurchase_due")
    assert plain.offer["text"] == "20% off when you reorder this week."
    thrifty = content("repurchase_due", profile={"rule_tags": frozenset({"price-sensitive"})}, contact={"language": "zh-CN"})
    assert (thrifty.language, thrifty.offer["text"]) == ("zh", "该补货了，同款本周8折。")
    assert (
        content("birthday", profile={"rule_tags": frozenset({"price-sensitive"})}).offer["text"] == "15% off for your birthday."
    )


def test_an_offer_code_goes_with_the_wording() -> None:
    kinds = {**numbers().kinds, "birthday": replace(numbers().kinds["birthday"], offer_code="HAPPY15")}
    assert content("birthday", config={"kinds": kinds}).offer == {"code": "HAPPY15", "text": "15% off for your birthday."}


def test_a_language_the_shop_does_not_write_falls_back() -> None:
    assert content(contact={"language": "fr"}).language == "en"
    assert content(profile={"traits": {"locale": "zh_TW"}}).language == "zh"


def test_the_greeting_name() -> None:
    assert content(contact={"name": "Mira"}).name == "Mira"
    assert content(profile={"traits": {"firstName": "Lin"}}).name == "Lin"
    assert content().name == ""


def test_facts_go_along_without_the_items() -> None:
    facts = {"order_id": "o1", "status": "shipped", "items": ["i1"]}
    assert content("order_update", facts=facts).facts == {"order_id": "o1", "status": "shipped"}
