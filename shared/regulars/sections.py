"""Every section that a `shop.yaml` may have, so that a whole file can be checked before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regulars import shop
from regulars.capture.config import Capture
from regulars.catalogue.config import CatalogueSettings
from regulars.channels.config import ChannelSettings
from regulars.decisions import budgets
from regulars.decisions.config import Decisions, Kind
from regulars.errors import Invalid
from regulars.feedback.config import FeedbackConfig
from regulars.metrics.config import MetricsConfig
from regulars.needs.config import NeedsSettings
from regulars.offers.config import Offer, OfferSettings
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
    """Every kind of moment brings an offer that there is, in the currency of the budgets that pay for it."""
    offers = shop.section(OfferSettings, "offers", document).offers
    decisions = shop.section(Decisions, "decisions", document)
    for name, kind in decisions.kinds.items():
        if kind.offer and kind.offer not in offers:
            field = f"decisions.kinds.{name}.offer"
            raise Invalid(f"{field}: no offer {kind.offer!r}; known: {', '.join(offers)}", field=field)
        if not kind.transactional:
            _check_budgets(name, kind, offers.get(kind.offer), decisions)


def _check_budgets(name: str, kind: Kind, offer: Offer | None, decisions: Decisions) -> None:
    """Those that pay for the standing trigger. Which kinds a campaign of another name sends is known to its claims only, and
    they spend nothing on what this would refuse."""
    paying = {key: budget for key, budget in decisions.budgets.items() if not budget.campaigns or name in budget.campaigns}
    if not paying:
        return
    cents = offer.cost_cents if offer else 0
    if offer and not budgets.pays_in(offer.currency, cents, decisions):
        field = "decisions.currency"
        stands = f"is {decisions.currency}" if decisions.currency else "is missing"
        reason = f"{stands}, but the budgets pay for offer {kind.offer!r}, which costs {offer.currency}"
        raise Invalid(f"{field}: {reason}", field=field)
    dearest = max((budgets.cost_of(channel, decisions, cents) for channel in kind.channels), default=0)
    for key, budget in paying.items():
        purse = budgets.Purse(key, key, budget.limit_cents * budgets.MICRO, budget.shards)
        if dearest <= purse.limit and not budgets.in_reach(dearest, purse, len(paying)):
            field = f"decisions.budgets.{key}.shards"
            parts = budgets.parts_each(len(paying))
            reason = f"{budget.shards} are too many: a message of {dearest / budgets.MICRO:g} cents pays from at most {parts}"
            raise Invalid(f"{field}: {reason}", field=field)
