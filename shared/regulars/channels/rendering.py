"""From a decision to what its channel shows.

The e-mail's layout is MJML compiled ahead (`templates/compiled/email.html`), filled in here with Liquid: strict, and
escaping whatever comes from outside. The other channels are words, a link and a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from regulars.channels.config import ChannelSettings
from regulars.channels.links import LinkMaker
from regulars.channels.ports import Email, Popup, Push, Rendered, Sms
from regulars.channels.sms import parts, plain
from regulars.channels.wording import Draft, Wording, template_source
from regulars.decisions.model import Message
from regulars.errors import GiveUp, Invalid

SMS_TITLE_WIDTHS = (60, 40, 24, 12)
"""How far the item's title is cut, in turn, until an SMS fits."""
_CARD_FIELDS = ("title", "price", "was", "reason", "image_url", "url")


class Renderer:
    """Renders ledger entries for the shop of `settings`. Templates are parsed once, at first use."""

    def __init__(self, settings: ChannelSettings, links: LinkMaker) -> None:
        self._shop = settings.shop
        self._limits = settings.limits
        self._links = links
        self._wording = Wording(settings)

    def render(self, message: Message, *, transactional: bool) -> Rendered:
        """The message as its channel shows it; raises GiveUp(render_failed) naming what is wrong with template or content."""
        from liquid.exceptions import LiquidError

        makers: dict[str, Callable[[Draft], Rendered]] = {
            "email": self._email,
            "push": self._push,
            "sms": self._sms,
            "inapp": self._popup,
        }
        try:
            draft = Draft(self._wording, self._links, message, transactional=transactional)
            return makers[message.channel](draft)
        except (LiquidError, Invalid, KeyError, TypeError, ValueError) as error:
            wrong = f"{message.kind}/{message.channel}: {type(error).__name__}: {error}"[:300]
            raise GiveUp(wrong, code="render_failed") from error

    def _email(self, draft: Draft) -> Email:
        values = draft.email_values(self._limits.email_items)
        return Email(
            subject=draft.word("subject"),
            html=str(self._html.render(**values)),
            text=str(self._text.render(**values)).strip() + "\n",
            sender_name=self._shop.name,
            reply_to=self._shop.reply_to,
            unsubscribe_url=values["unsubscribe_url"],
        )

    def _push(self, draft: Draft) -> Push:
        return Push(
            title=_cut(draft.word("push_title"), self._limits.push_title_characters),
            body=_cut(draft.word("push_body"), self._limits.push_body_characters),
            url=draft.call_url,
            image_url=draft.picture,
        )

    def _sms(self, draft: Draft) -> Sms:
        frame = plain(draft.common("sms_transactional" if draft.transactional else "sms_marketing"))
        signature = self._shop.sms_signature or self._shop.name
        for width in SMS_TITLE_WIDTHS:
            names = {**draft.names, "item": _cut(draft.names["item"], width, "...")}
            body = self._wording.say(draft.source("sms"), names)
            text = plain(self._wording.say(frame, {**names, "text": body, "url": draft.call_url, "signature": signature}))
            needed = parts(text)
            if needed <= self._limits.sms_parts:
                return Sms(text=text, parts=needed)
        raise Invalid(f"SMS needs {needed} parts, {self._limits.sms_parts} are allowed", field="sms")

    def _popup(self, draft: Draft) -> Popup:
        cards = draft.cards(self._limits.inapp_items)
        return Popup(
            title=draft.word("popup_title"),
            body=draft.word("popup_body"),
            call=draft.word("call"),
            url=draft.call_url,
            image_url=draft.picture,
            items=tuple({key: card[key] for key in _CARD_FIELDS} for card in cards),
        )

    @cached_property
    def _html(self) -> Any:
        from liquid import Environment, StrictUndefined

        return Environment(undefined=StrictUndefined, autoescape=True).from_string(template_source("compiled/email.html"))

    @cached_property
    def _text(self) -> Any:
        return self._wording.liquid.from_string(template_source("email.txt.liquid"))


def _cut(text: str, width: int, mark: str = "…") -> str:
    """At most `width` characters, cut with a mark."""
    return text if len(text) <= width else text[: width - len(mark)].rstrip() + mark
