"""Items with reasons for messages: the port `regulars.decisions.ports.Showcase`, over the same scenes as the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regulars.catalogue.model import Item
from regulars.profiles.model import Profile
from regulars.recommendations.model import Answer, Ask
from regulars.recommendations.service import Recommend

SCENE_OF = {
    "cart_abandoned": "return",
    "browse_abandoned": "return",
    "repurchase_due": "repurchase",
    "welcome": "home",
    "birthday": "home",
    "festival": "home",
    "anniversary": "home",
    "winback_churn_risk": "home",
    "winback_dormant": "members",
    "winback_high_value": "home",
}
"""Which scene answers which kind of moment; others have none."""


@dataclass(frozen=True, slots=True)
class Picking:
    """Picks for a profile that is already read; costs one round trip while the common part is fresh."""

    recommend: Recommend

    def pick(self, profile: Profile, kind: str, *, count: int, now: datetime, category: str = "", language: str = "") -> Answer:
        """The answer of the scene that suits the moment's kind, `home` for a kind that names none."""
        ask = Ask(scene=SCENE_OF.get(kind, "home"), shopper=profile.shopper, limit=count, category=category, language=language)
        opening = self.recommend.sources.open("", now)
        return self.recommend.answer(ask, replace(opening, profile=profile), now)

    def picked(self, profile: Profile, *, count: int, now: datetime, kind: str = "") -> Sequence[tuple[Item, str]]:
        """Up to `count` items of the kind's scene, best first, each with the code of its reason."""
        answer = self.pick(profile, kind, count=count, now=now)
        return [(placed.item, placed.reason.code) for placed in answer.items]

    def items(self, item_ids: Sequence[str]) -> Mapping[str, Item]:
        """Known items among `item_ids`; one that is out of stock by the live word has stock 0."""
        snapshot, now = self.recommend.snapshot(), self.recommend.clock()
        outs = self.recommend.sources.neighbourhood("", (), (), now).stock_outs
        known = {item_id: snapshot[item_id] for item_id in item_ids if item_id in snapshot}
        return {item_id: replace(item, stock=0) if item_id in outs else _back(item) for item_id, item in known.items()}


def _back(item: Item) -> Item:
    """The snapshot's zero is older than the live word that does not name the item."""
    return replace(item, stock=None, active=True) if not item.in_stock else item
