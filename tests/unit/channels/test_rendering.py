"""Every kind of message, on every channel, in every language and tone, says something whole."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from tests.support.sending import BASE_URL, DECISIONS, ITEMS, SETTINGS, content, link_maker, planned

from regulars.channels.config import ChannelSettings
from regulars.channels.content import Content
from regulars.channels.ports import Email, Popup, Push, Rendered, Sms
from regulars.channels.rendering import Renderer
from regulars.channels.sms import parts
from regulars.channels.wording import shipped_words
from regulars.decisions.model import Message
from regulars.errors import GiveUp
from regulars.recommendations.reasons import TEXTS as REASONS
from regulars.shop import section
from regulars.triggers.config import Triggers

KINDS = sorted(shipped_words()["en"]["kinds"])
LANGUAGES = sorted(shipped_words())
TONES = ("plain", "discount", "craft")
FULL = content(facts={"order_id": "A-17", "status": "shipped", "category": "Tea", "cart_value_cents": 1150})
BARE = Content(template="")


def render(kind: str, channel: str, said: Content, settings: ChannelSettings = SETTINGS) -> Rendered:
    message: Message = planned(kind, channel, content=replace(said, template=kind).to_wire())
    return Renderer(settings, link_maker()).render(message, transactional=kind == "order_update")


def email(kind: str = "cart_abandoned", said: Content = FULL, settings: ChannelSettings = SETTINGS) -> Email:
    rendered = render(kind, "email", said, settings)
    assert isinstance(rendered, Email)
    return rendered


def sms(kind: str = "cart_abandoned", said: Content = FULL, settings: ChannelSettings = SETTINGS) -> Sms:
    rendered = render(kind, "sms", said, settings)
    assert isinstance(rendered, Sms)
    return rendered


def texts(rendered: Rendered) -> list[str]:
    """Every text a shopper may see."""
    if isinstance(rendered, Email):
        return [rendered.subject, rendered.html, rendered.text]
    if isinstance(rendered, Push):
        return [rendered.title, rendered.body]
    if isinstance(rendered, Sms):
        return [rendered.text]
    return [rendered.title, rendered.body, rendered.call]


def test_every_configured_kind_has_words() -> None:
    assert set(KINDS) == set(DECISIONS.kinds)
    assert set(LANGUAGES) == {"en", "zh"}


def test_every_reason_and_status_that_the_shop_gives_has_words() -> None:
    reasons = {*REASONS["en"], *(kind.item_reason for kind in DECISIONS.kinds.values() if kind.item_reason)}
    statuses = set(section(Triggers, "triggers").orders.statuses.values())
    for language in LANGUAGES:
        assert reasons <= set(shipped_words()[language]["reasons"])
        assert statuses <= set(shipped_words()[language]["statuses"])


@pytest.mark.parametrize(("kind", "language", "tone"), list(product(KINDS, LANGUAGES, TONES)))
def test_every_message_is_whole(kind: str, language: str, tone: str) -> None:
    for channel, said in product(("email", "push", "sms", "inapp"), (FULL, BARE)):
        rendered = render(kind, channel, replace(said, language=language, tone=tone))
        for text in texts(rendered):
            assert text.strip(), (channel, said)
            assert not re.search(r"\{\{|\{%|%\}|\}\}|undefined|None", text), text
            assert "  " not in text or isinstance(rendered, Email)
        if language == "zh":
            assert any("\u4e00" <= character <= "\u9fff" for character in "".join(texts(rendered)))


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
def test_a_mail_has_its_links_and_a_text_part(kind: str, language: str) -> None:
    mail = email(kind, replace(FULL, language=language))
    for part in (mail.html, mail.text):
        assert part.count(f"{BASE_URL}/l/c/") >= 2
        assert ("/l/u/" in part) == (kind != "order_update")
        assert SETTINGS.shop.postal_address in part
    assert mail.html.count(f"{BASE_URL}/l/o/") == 1
    assert bool(mail.unsubscribe_url) == (kind != "order_update")
    assert "<" not in mail.text.replace("<b>& Co</b>", "")
    assert f'lang="{language}"' in mail.html
    assert "https://shop.example/items/mug" not in mail.html, "destinations stay on our side"


def test_what_comes_from_outside_is_escaped_in_html_and_stays_on_one_line_in_the_subject() -> None:
    nasty = replace(
        FULL,
        name="<script>alert(1)</script>",
        items=(replace(ITEMS[0], title='Mug"\r\nBcc: x@y <img src=x onerror=1>'),),
        offer={"text": "<i>50%</i>", "code": '"><b>'},
    )
    mail = email(said=nasty)
    assert "<script" not in mail.html
    assert "<img src=x" not in mail.html
    assert "<i>50" not in mail.html
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject


def test_liquid_in_a_title_is_text_not_a_template() -> None:
    mail = email(said=replace(FULL, name="{{ shop }}", items=(replace(ITEMS[0], title="{{ secret }} {% if %}"),)))
    assert "{{ secret }} {% if %}" in mail.subject


def test_a_card_shows_price_struck_price_reason_and_picture() -> None:
    mail = email()
    assert "£8.00" in mail.html
    assert ">£10.00</s>" in mail.html
    assert "In your basket" in mail.html
    assert 'src="https://shop.example/images/mug.jpg"' in mail.html
    assert ">T</a>" in mail.html, "an item without a picture shows its initial"


def test_the_tone_follows_the_shopper() -> None:
    assert "Up to 20% off" in email(said=replace(FULL, tone="discount")).html
    assert "well made" in email(said=replace(FULL, tone="craft")).html
    assert "20%" not in email(said=replace(FULL, tone="craft")).subject


def test_only_the_shoppers_own_items_are_counted_as_hers() -> None:
    assert "more" not in email().subject
    assert "and 1 more" in email(said=replace(FULL, items=(ITEMS[0], replace(ITEMS[1], reason="in_cart")))).subject


def test_a_chinese_sms_is_signed_and_says_how_to_stop() -> None:
    text = sms(said=replace(FULL, language="zh-CN")).text
    assert text.startswith("【Gift Shop】")
    assert "退订" in text
    own = section(ChannelSettings, "channels", {"channels": {"shop": {"name": "Gift Shop", "sms_signature": "好礼"}}})
    assert sms(said=replace(FULL, language="zh"), settings=own).text.startswith("【好礼】")


def test_an_english_sms_says_how_to_stop_and_an_order_update_needs_not() -> None:
    assert sms().text.endswith("Reply STOP to opt out")
    assert "STOP" not in sms("order_update").text
    assert "退订" not in sms("order_update", replace(FULL, language="zh")).text


@pytest.mark.parametrize(("kind", "language"), list(product(KINDS, LANGUAGES)))
def test_an_sms_stays_short_however_long_the_title(kind: str, language: str) -> None:
    long = replace(FULL, language=language, items=(replace(ITEMS[0], title="Very “long” – title… " * 12),))
    message = sms(kind, long)
    assert message.parts == parts(message.text) <= SETTINGS.limits.sms_parts
    if language == "en":
        assert message.text.isascii() or "£" in message.text, "typographic signs would double the price"


def test_an_sms_that_cannot_be_short_is_refused() -> None:
    with pytest.raises(GiveUp) as error:
        sms(said=replace(FULL, offer={"text": "free " * 200}))
    assert error.value.code == "render_failed"


def test_push_titles_are_cut() -> None:
    long = replace(FULL, items=(replace(ITEMS[0], title="long " * 100),))
    rendered = render("browse_abandoned", "push", long)
    assert isinstance(rendered, Push)
    assert len(rendered.body) <= SETTINGS.limits.push_body_characters
    assert rendered.image_url == ITEMS[0].image_url


def test_a_popup_shows_at_most_its_items() -> None:
    rendered = render("winback_dormant", "inapp", replace(FULL, items=ITEMS * 4))
    assert isinstance(rendered, Popup)
    assert len(rendered.items) == SETTINGS.limits.inapp_items
    assert rendered.items[0]["was"] == "£10.00"


def test_without_a_page_the_call_leads_to_the_shop() -> None:
    rendered = render("welcome", "push", BARE)
    assert isinstance(rendered, Push)
    assert rendered.url == SETTINGS.shop.home_url


def test_an_unknown_language_gets_the_shops() -> None:
    assert "Hello Ann," in email(said=replace(FULL, language="fr-CA")).text


def test_the_shop_may_say_it_in_its_own_words() -> None:
    words = {"en": {"welcome": {"subject": "Hi {{ name }}!"}}}
    settings = section(ChannelSettings, "channels", {"channels": {"words": words}})
    assert email("welcome", settings=settings).subject == "Hi Ann!"
    assert email("cart_abandoned", settings=settings).subject.startswith("Your basket")


@pytest.mark.parametrize("text", ["Hi {{ nmae }}!", "Hi {{ name", "{% if name %}"])
def test_words_with_a_typing_error_fail_instead_of_leaving_a_gap(text: str) -> None:
    words: dict[str, Any] = {"en": {"welcome": {"subject": text}}}
    settings = section(ChannelSettings, "channels", {"channels": {"words": words}})
    with pytest.raises(GiveUp) as error:
        email("welcome", settings=settings)
    assert error.value.code == "render_failed"


def test_content_survives_the_ledger() -> None:
    assert Content.from_wire(FULL.to_wire()) == FULL
    assert Content.from_wire({**FULL.to_wire(), "of_a_later_version": 1}) == FULL
