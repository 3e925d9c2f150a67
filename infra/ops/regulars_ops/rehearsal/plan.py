"""What to rehearse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from regulars.channels.model import Contact
from regulars.clock import to_ms
from regulars.decisions import zones
from regulars.decisions.config import Decisions
from regulars.errors import Invalid
from regulars.messages import Moment
from regulars.profiles.model import Profile
from regulars.shop import build, parse_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Every line that is given must hold; an empty one holds for everybody. `tags`: one of them is enough."""

    stages: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    def holds(self, profile: Profile, contact: Contact, config: Decisions) -> bool:
        """Whether the shopper belongs to it."""
        return (
            (not self.stages or profile.stage in self.stages)
            and (not self.tiers or profile.tier in self.tiers)
            and (not self.tags or any(tag in profile.tags or tag in profile.rule_tags for tag in self.tags))
            and (not self.countries or zones.country_of(contact, config.place) in self.countries)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One message of `kind` to everybody in the audience, from `at` on (ISO-8601 with offset), given up after `lapses_hours`.

    `items` are shown first; `facts` are the moment's.
    """

    campaign: str
    kind: str
    at: str
    lapses_hours: float = 72.0
    audience: Audience = field(default_factory=Audience)
    items: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def begins(self) -> datetime:
        """`at` as an instant; raises Invalid."""
        try:
            at = datetime.fromisoformat(self.at)
        except ValueError as error:
            raise Invalid(f"at: {self.at!r} is no ISO-8601 instant", field="at") from error
        if at.tzinfo is None:
            raise Invalid("at: say the offset too, as in 2026-12-01T18:00+00:00", field="at")
        return at.astimezone(UTC)

    def moment(self, shopper: str) -> Moment:
        """Her moment. Its id holds the campaign's name, so the same campaign twice is one message."""
        begins = self.begins
        return Moment(
            id=f"{self.kind}#{self.campaign}",
            correlation_id=f"rehearsal-{self.campaign}",
            sent_at_ms=to_ms(begins),
            shopper=shopper,
            kind=self.kind,
            subject=self.campaign,
            occurred_at_ms=to_ms(begins),
            due_at_ms=to_ms(begins),
            expires_at_ms=to_ms(begins + timedelta(hours=self.lapses_hours)),
            facts={**self.facts, **({"items": list(self.items)} if self.items else {})},
            campaign=self.campaign,
        )


def read_campaign(text: str, config: Decisions) -> Campaign:
    """The campaign of a YAML document; raises Invalid with the path of what does not fit."""
    document = parse_yaml(text) or {}
    if isinstance(document, dict) and isinstance(document.get("at"), datetime):
        document["at"] = document["at"].isoformat()  # YAML reads an instant without quotes as one
    made: Campaign = build(Campaign, document, "campaign")
    if made.kind not in config.kinds:
        raise Invalid(f"campaign.kind: no kind {made.kind!r}; known: {', '.join(sorted(config.kinds))}", field="kind")
    if config.kinds[made.kind].transactional:
        raise Invalid(f"campaign.kind: {made.kind} is about orders, not for campaigns", field="kind")
    if made.lapses_hours <= 0:
        raise Invalid("campaign.lapses_hours must be above 0", field="lapses_hours")
    _ = made.begins
    return made
