"""What the message will say, as data: template, language, tone, greeting name, offer wording, items. No rendered text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from regulars.catalogue.model import Item
from regulars.channels.content import Content, ContentItem
from regulars.channels.model import Contact
from regulars.decisions.config import Decisions, Kind
from regulars.decisions.offering import Terms
from regulars.decisions.ports import Showcase
from regulars.messages import Moment
from regulars.profiles.model import Profile

PLAIN = "plain"
_NOT_FOR_TEXTS = frozenset({"items", "lines", "held"})


def compose(
    moment: Moment,
    profile: Profile,
    contact: Contact,
    channel: str,
    showcase: Showcase,
    config: Decisions,
    now: datetime,
    terms: Terms | None = None,
) -> Content | None:
    """The content of one decided message; None when it needs items and none of them can be shown any more."""
    kind = config.kinds[moment.kind]
    items = items_of(moment, kind, profile, config.channels[channel].items, showcase, now)
    if kind.needs_items and not items:
        return None
    tone, language = tone_of(profile, config), language_of(contact, profile, config)
    return Content(
        template=moment.kind,
        language=language,
        tone=tone,
        name=contact.name or str(profile.traits.get("firstName") or profile.traits.get("first_name") or ""),
        items=items,
        offer=held_offer(moment, language, config) or offer_of(kind, tone, language, config, terms),
        facts={name: fact for name, fact in moment.facts.items() if name not in _NOT_FOR_TEXTS},
    )


def items_of(
    moment: Moment, kind: Kind, profile: Profile, count: int, showcase: Showcase, now: datetime
) -> tuple[ContentItem, ...]:
    """The moment's own items that are still to be had, then recommended ones if the kind wants them; at most `count`."""
    own = _ids(moment.facts)
    ordered = list(reversed(own)) if kind.newest_last else own
    known = showcase.items(ordered) if ordered else {}
    shown = [(known[item_id], kind.item_reason) for item_id in ordered if item_id in known and known[item_id].in_stock]
    if kind.picks_items and len(shown) < count:
        taken = set(own)
        shown += [
            (item, reason)
            for item, reason in showcase.picked(profile, count=count, now=now, kind=moment.kind)
            if item.item_id not in taken and item.in_stock
        ]
    return tuple(card(item, reason) for item, reason in shown[:count])


def card(item: Item, reason: str) -> ContentItem:
    """The item as it is now: a message shows what it was decided with."""
    return ContentItem(
        item_id=item.item_id,
        title=item.title,
        url=item.url,
        image_url=item.image_url,
        price_cents=item.price_cents,
        list_price_cents=item.list_price_cents,
        currency=item.currency,
        reason=reason,
    )


def tone_of(profile: Profile, config: Decisions) -> str:
    """The tone whose tags weigh most, if enough; the first named of equals."""
    best, weight = PLAIN, 0.0
    for name, tone in config.tones.items():
        ruled = tone.least if profile.rule_tags.intersection(tone.tags) else 0.0
        total = ruled + sum(profile.tags.get(tag, 0.0) for tag in tone.tags)
        if total >= tone.least and total > weight:
            best, weight = name, total
    return best


def language_of(contact: Contact, profile: Profile, config: Decisions) -> str:
    """The shopper's language if the shop writes it (`zh-TW` counts as `zh`), else the shop's."""
    for said in (contact.language, str(profile.traits.get("language") or profile.traits.get("locale") or "")):
        short = said.replace("_", "-").split("-")[0].lower()
        if short in config.place.languages:
            return short
    return config.place.language


def held_offer(moment: Moment, language: str, config: Decisions) -> Mapping[str, str]:
    """{code, text?} of the coupon that the moment is about, as she holds it; {} for a moment about none."""
    held = moment.facts.get("held")
    if not isinstance(held, Mapping):
        return {}
    text = held["text"].get(language) or held["text"].get(config.place.language, "")
    return {"code": str(held["code"]), **({"text": str(text)} if text else {})}


def offer_of(kind: Kind, tone: str, language: str, config: Decisions, terms: Terms | None = None) -> Mapping[str, str]:
    """{name?, code?, text}: the text of the offer it brings, else the benefit's wording in this tone; in this language, falling
    back to plain and to the shop's language. `name` is the offer; her own code comes with the claim."""
    wordings = kind.benefit.get(tone) or kind.benefit.get(PLAIN) or {}
    if terms and terms.text:
        wordings = terms.text
    text = wordings.get(language) or wordings.get(config.place.language, "")
    offer = {"text": text} if text else {}
    if terms:
        return {"name": terms.offer, **offer}
    return {"code": kind.offer_code, **offer} if kind.offer_code else offer


def _ids(facts: Mapping[str, Any]) -> Sequence[str]:
    """Item ids of a moment's facts; entries may be ids or mappings that hold one."""
    found = facts.get("items")
    if not isinstance(found, list | tuple):
        return []
    ids = [entry.get("item_id") if isinstance(entry, Mapping) else entry for entry in found]
    return list(dict.fromkeys(str(entry) for entry in ids if entry))
