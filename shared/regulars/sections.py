"""Every section that a `shop.yaml` may have, so that a whole file can be checked before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars import shop
from regulars.capture.config import Capture
from regulars.catalogue.config import CatalogueSettings
from regulars.channels.config import ChannelSettings
from regulars.decisions.config import Decisions
from regulars.errors import Invalid
from regulars.feedback.config import FeedbackConfig
from regulars.metrics.config import MetricsConfig
from regulars.needs.config import NeedsSettings
from regulars.offers.config import OfferSettings
from regulars.privacy.config import Privacy
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.rules import load_rules
from regulars.recommendations.config import RecommendationSettings
from regulars.similarity.config import SimilaritySettings
from regulars.triggers.config import Triggers

SECTIONS: Mapping[str, type[Any]] = {
    "capture": Capture,
    "catalogue": CatalogueSettings,
    "channels": ChannelSettings,
    "decisions": Decisions,
    "feedback": FeedbackConfig,
    "metrics": MetricsConfig,
    "needs": NeedsSettings,
    "offers": OfferSettings,
    "privacy": Privacy,
    "profiles": ProfilesConfig,
    "recommendations": RecommendationSettings,
    "similarity": SimilaritySettings,
    "triggers": Triggers,
}
TAG_RULES = "tag_rules"
"""Laid over `profiles/tag_rules.yaml`; a language of its own (`regulars.profiles.rules`), not a dataclass."""


def check(document: Any) -> None:
    """Raises Invalid with the path of the first thing in a parsed shop.yaml that no stage would accept."""
    if not isinstance(document, Mapping):
        raise Invalid(f"shop.yaml: expected sections, got {document!r:.60}")
    for name in document:
        if name == TAG_RULES:
            continue
        if name not in SECTIONS:
            raise Invalid(f"{name}: no such section; known: {', '.join((*SECTIONS, TAG_RULES))}", field=str(name))
        shop.section(SECTIONS[name], name, document)
    _check_offers(document)
    load_rules(document, shop.section(ProfilesConfig, "profiles", document).festivals)


def _check_offers(document: Mapping[str, Any]) -> None:
    """Every kind of moment brings an offer that there is."""
    offers = shop.section(OfferSettings, "offers", document).offers
    for name, kind in shop.section(Decisions, "decisions", document).kinds.items():
        if kind.offer and kind.offer not in offers:
            field = f"decisions.kinds.{name}.offer"
            raise Invalid(f"{field}: no offer {kind.offer!r}; known: {', '.join(offers)}", field=field)
