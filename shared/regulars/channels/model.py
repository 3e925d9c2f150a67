"""How a shopper can be reached, and whether she agreed.

Consent (marketing) is per channel and topic; `consent[channel]` True/False is the channel's word, `topics[channel/topic]`
may refuse a topic of a channel that is allowed. `consent_at[subject]` (epoch ms; a subject is a channel or channel/topic) is
when that word was given: of two words the later stands, of two given in one millisecond the refusal. Absent consent means
no marketing; order updates (transactional) need an address only. Suppression is by address and stands above consent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """One message that counts against the rolling caps."""

    at: datetime
    channel: str
    kind: str
    moment_id: str
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """`addresses`: channel → e-mail address, E.164 number or push token; `inapp` needs none. `push_vendor`: who made the
    telephone (huawei, honor, oppo, vivo, meizu, xiaomi …), "" when it is not known.

    `version` rises with every change of consent or slots: what a claim is conditional on.
    """

    shopper: str
    version: int = 0
    addresses: Mapping[str, str] = field(default_factory=dict)
    consent: Mapping[str, bool] = field(default_factory=dict)
    topics: Mapping[str, bool] = field(default_factory=dict)
    consent_at: Mapping[str, int] = field(default_factory=dict)
    language: str = ""
    time_zone: str = ""
    country: str = ""
    name: str = ""
    push_vendor: str = ""
    slots: tuple[Slot, ...] = ()
    updated_at: datetime | None = None

    def allows(self, channel: str, topic: str) -> bool:
        """Marketing consent for this channel and topic."""
        return self.consent.get(channel, False) and self.topics.get(f"{channel}/{topic}", True)
