"""What a decision says and rendering needs: the contract of `Message.content`.

`decide_message` writes it (`Content(...).to_wire()`), `send_message` renders it, `serve_links` looks destinations up in
it. It is a snapshot: a message shows the prices it was decided with, and a link leads where it led when it was decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

TONES = ("plain", "discount", "craft")
CALL_LINK = 0
"""Index of the call to action among a message's links; item n (from 1) is link n."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """One item card. `reason` is a code of the words files (`in_cart`, `viewed`, `goes_with`, …) or ""."""

    item_id: str
    title: str
    url: str = ""
    image_url: str = ""
    price_cents: int = 0
    list_price_cents: int = 0
    currency: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`template` is the moment's kind unless another is meant; `tone` one of TONES; `name` the greeting name or "".

    `offer`: what she gains, {text, code?} in that language, {} for nothing. `url`: where the call to action leads, "" for the
    first item's page. `facts`: the moment's facts that texts use (`order_id`, `status`, `cart_value_cents`, `category` …).
    """

    template: str
    language: str = ""
    tone: str = "plain"
    name: str = ""
    items: tuple[ContentItem, ...] = ()
    offer: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready; empty fields left out."""
        wire = {key: value for key, value in asdict(self).items() if value not in ("", (), {})}
        if self.items:
            wire["items"] = [{key: value for key, value in asdict(item).items() if value != ""} for item in self.items]
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Content:
        """Inverse of `to_wire`. Unknown keys are skipped: an older reader renders a newer decision."""
        items = tuple(
            ContentItem(
                item_id=str(entry["item_id"]),
                title=str(entry.get("title", "")),
                url=str(entry.get("url", "")),
                image_url=str(entry.get("image_url", "")),
                price_cents=int(entry.get("price_cents", 0)),
                list_price_cents=int(entry.get("list_price_cents", 0)),
                currency=str(entry.get("currency", "")),
                reason=str(entry.get("reason", "")),
            )
            for entry in wire.get("items", ())
        )
        return cls(
            template=str(wire.get("template", "")),
            language=str(wire.get("language", "")),
            tone=str(wire.get("tone", "plain")),
            name=str(wire.get("name", "")),
            items=items,
            offer=dict(wire.get("offer", {})),
            url=str(wire.get("url", "")),
            facts=dict(wire.get("facts", {})),
        )

    def destination(self, index: int) -> str:
        """Where link `index` leads, "" when there is no such link or it is not an absolute web address."""
        if index == CALL_LINK:
            target = self.url or next((item.url for item in self.items if item.url), "")
        else:
            target = self.items[index - 1].url if 0 < index <= len(self.items) else ""
        return target if is_web_address(target) else ""


def is_web_address(url: str) -> bool:
    """Absolute http(s) with a host, and nothing that could end a header or hide credentials."""
    if not url.isprintable() or any(character.isspace() for character in url) or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
