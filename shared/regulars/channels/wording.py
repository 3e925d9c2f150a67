"""The words of a message: texts by language, kind and tone, and the values that fill them.

Texts are Liquid and strict: an unknown name is an error, never a gap in a sentence. What comes from outside (names,
titles) is kept on one line, so that no header can be forged with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from regulars import packaged
from regulars.channels.config import ChannelSettings
from regulars.channels.content import CALL_LINK, Content, ContentItem
from regulars.channels.links import LinkMaker
from regulars.channels.money import money
from regulars.decisions.model import Message
from regulars.shop import overlay

_LABELS = ("was", "view", "offer", "unsubscribe", "preferences")


@cache
def shipped_words() -> Mapping[str, Any]:
    """All shipped texts by language: `common`, `reasons`, `festivals`, `statuses` and `kinds`."""
    words: Mapping[str, Any] = json.loads(template_source("compiled/words.json"))
    return words


def template_source(name: str) -> str:
    """The text of a file under `templates/`."""
    return packaged.text("regulars.channels", f"templates/{name}")


class Wording:
    """All texts by language, the shop's own laid over the shipped ones, and how they are filled in."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.settings = settings
        own = {language: {"kinds": kinds} for language, kinds in settings.words.items()}
        self.texts: Mapping[str, Any] = overlay(shipped_words(), own)
        self._parsed: dict[str, Any] = {}

    def language(self, wanted: str) -> str:
        """The known language nearest to a BCP 47 tag (`zh-CN` → `zh`), else the shop's."""
        short = wanted.replace("_", "-").partition("-")[0].lower()
        return short if short in self.texts else self.settings.default_language

    def say(self, text: str, names: Mapping[str, Any]) -> str:
        """A text with its names filled in, on one line."""
        template = self._parsed.get(text)
        if template is None:
            template = self._parsed[text] = self.liquid.from_string(text)
        return " ".join(str(template.render(**names)).split())

    @cached_property
    def liquid(self) -> Any:
        """The strict environment of plain texts."""
        from liquid import Environment, StrictUndefined

        return Environment(undefined=StrictUndefined)


class Draft:
    """One message being rendered: its texts by field, its links, its cards."""

    def __init__(self, wording: Wording, links: LinkMaker, message: Message, *, transactional: bool) -> None:
        self._wording = wording
        self._links = links
        self._shop = wording.settings.shop
        self._message = message
        self._content = content = Content.from_wire(message.content)
        self.transactional = transactional
        self.language = wording.language(content.language)
        self._texts: Mapping[str, Any] = wording.texts[self.language]
        self._kind: Mapping[str, str] = self._texts["kinds"][content.template or message.kind]
        self.names = self._names()

    def source(self, field: str) -> str:
        """The Liquid of a text of this kind, in the shopper's tone where there is one."""
        return self._kind.get(f"{field}_{self._content.tone}") or self._kind[field]

    def word(self, field: str) -> str:
        return self._wording.say(self.source(field), self.names)

    def common(self, field: str) -> str:
        """The Liquid of a text that all kinds share."""
        text: str = self._texts["common"][field]
        return text

    @property
    def call_url(self) -> str:
        """The tracked call to action; the shop's own front page, untracked, when the decision names no page."""
        if self._links.leads(self._content, CALL_LINK):
            return self._link(CALL_LINK)
        return self._shop.home_url

    @property
    def picture(self) -> str:
        return next((item.image_url for item in self._content.items if item.image_url), "")

    def cards(self, most: int) -> list[dict[str, str]]:
        """The first `most` items, ready to show. `url` is "" when the item has no page, `link` never is."""
        cards = []
        for index, item in enumerate(self._content.items[:most], start=1):
            url = self._link(index) if self._links.leads(self._content, index) else ""
            title = " ".join(item.title.split()) or item.item_id
            reason = self._texts["reasons"].get(item.reason, "")
            was = money(item.list_price_cents, item.currency) if item.list_price_cents > item.price_cents else ""
            price = money(item.price_cents, item.currency)
            cards.append(
                {"title": title, "initial": title[:1].upper(), "reason": reason, "price": price, "was": was}
                | {"image_url": item.image_url, "url": url, "link": url or self.call_url}
            )
        return cards

    def email_values(self, most: int) -> dict[str, Any]:
        """Everything that the e-mail's layouts name."""
        shop, message = self._shop, self._message
        key = (message.shopper, message.moment_id, "email")
        unsubscribe = "" if self.transactional else self._links.unsubscribe(*key)
        labels = {name: self._wording.say(self.common(name), self.names) for name in _LABELS}
        labels["why"] = self._wording.say(self.common("why_transactional" if self.transactional else "why"), self.names)
        greeting = self.common("greeting" if self._content.name else "greeting_nameless")
        return {
            "language": self.language,
            **{field: self.word(field) for field in ("subject", "preheader", "headline", "intro", "call")},
            "greeting": self._wording.say(greeting, self.names),
            "items": self.cards(most),
            "offer": {"code": "", "text": "", **self._content.offer},
            "call_url": self.call_url,
            "open_url": self._links.open(*key),
            "unsubscribe_url": unsubscribe,
            "preferences_url": shop.preferences_url or unsubscribe,
            "labels": labels,
            "accent": shop.accent,
            "shop": {"name": shop.name, "home_url": shop.home_url, "logo_url": shop.logo_url, "address": shop.postal_address},
        }

    def _link(self, index: int) -> str:
        message = self._message
        return self._links.click(message.shopper, message.moment_id, index)

    def _names(self) -> dict[str, Any]:
        """What the words files may name; every name always stands, so strictness catches typing errors only."""
        facts = self._content.facts
        first = self._content.items[0] if self._content.items else ContentItem(item_id="", title="")
        own = [item for item in self._content.items if item.reason == first.reason]  # not what is shown besides
        status = str(facts.get("status", "")) or "updated"
        festival = str(facts.get("festival", ""))
        return {
            "shop": self._shop.name,
            "name": " ".join(self._content.name.split()),
            "item": " ".join(first.title.split()),
            "more": max(len(own) - 1, 0),
            "count": len(own),
            "saving": max((_saving(item) for item in own), default=0),
            "price": money(first.price_cents, first.currency),
            "cart_value": money(int(facts.get("cart_value_cents", 0)), first.currency),
            "category": str(facts.get("category", "")),
            "order_id": str(facts.get("order_id", "")),
            "status": self._texts["statuses"].get(status, status),
            "festival": self._texts["festivals"].get(festival, festival.replace("-", " ").title()),
            "years": int(facts.get("years", 0)),
            "benefit": " ".join(str(self._content.offer.get("text", "")).split()),
            "code": str(self._content.offer.get("code", "")),
        }


def _saving(item: ContentItem) -> int:
    """Discount in whole per cent, rounded down so that no message promises more than is true."""
    if 0 < item.price_cents < item.list_price_cents:
        return (item.list_price_cents - item.price_cents) * 100 // item.list_price_cents
    return 0
