"""Settings of the channels stage (`channels` section of shop.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopFront:
    """Who writes. `sms_signature` is the registered 【signature】 of Chinese SMS, "" for `name`.

    `preferences_url`: the shop's own preferences page, "" for the unsubscribe page. `accent`: colour of buttons, #rrggbb.
    """

    name: str
    home_url: str
    logo_url: str
    postal_address: str
    reply_to: str
    preferences_url: str
    sms_signature: str
    accent: str


@dataclass(frozen=True, slots=True)
class Sending:
    """`lease_seconds`: how long a claim may take to reach its provider; `claim_tries`: re-reads of a contact that changed
    between reading and claiming; `finish_tries`: tries to write a receipt down."""

    lease_seconds: int
    claim_tries: int
    finish_tries: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Most items shown per channel, parts of one SMS, lifetime of links and of inbox entries."""

    email_items: int
    inapp_items: int
    sms_parts: int
    push_title_characters: int
    push_body_characters: int
    link_days: int
    inbox_days: int
    inbox_page: int


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`words[language][kind][field]` replaces a text of `templates/words/<language>.yaml`."""

    shop: ShopFront
    sending: Sending
    limits: Limits
    default_language: str
    words: Mapping[str, Mapping[str, Mapping[str, str]]]
