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
    between reading and claiming, and looks at other shards of what is limited; `finish_tries`: tries to write a receipt down;
    `turn_tries`: permits taken in a row when their time passes before the call.

    `postpone_after`: deliveries of an order, this one too, after which what cannot go yet returns to the due index, well
    before the queue would take it for dead; `postpone_minutes`: for how long, on average. `pause_minutes`: how soon a message
    of a paused channel is decided anew. `pause_cache_seconds`: how old what a worker knows of pauses may be.
    """

    lease_seconds: int
    claim_tries: int
    finish_tries: int
    turn_tries: int = 2
    postpone_after: int = 3
    postpone_minutes: float = 10.0
    pause_minutes: float = 1.0
    pause_cache_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Pacing:
    """`quotas`: channel → calls a second that its provider takes from all workers together; 0 or absent: no limit.

    `start_within_ms`: how long after its window's beginning a call may start; `clock_error_ms`: how wrong a worker's clock
    may be; `most_windows`: at most so many windows to a second; `wait_ms`: how long a worker waits for a turn; `looks`: how
    many windows it asks.
    """

    quotas: Mapping[str, int]
    start_within_ms: int
    clock_error_ms: int
    most_windows: int
    wait_ms: int
    looks: int


@dataclass(frozen=True, slots=True)
class Health:
    """When marketing of a channel pauses itself: shares of the last `window_sends` messages, in steps of `bucket_sends`.

    A share is of at least `least_sends` messages and of at least `least_complaints` or `least_bounces` reports.
    """

    window_sends: int
    bucket_sends: int
    complaint_share: float
    bounce_share: float
    least_sends: int
    least_complaints: int
    least_bounces: int


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
class LinkTargets:
    """`hosts`: where links may lead, by https, besides the place of `shop.home_url`."""

    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """`words[language][kind][field]` replaces a text of `templates/words/<language>.yaml`."""

    shop: ShopFront
    sending: Sending
    pacing: Pacing
    health: Health
    limits: Limits
    links: LinkTargets
    default_language: str
    words: Mapping[str, Mapping[str, Mapping[str, str]]]
