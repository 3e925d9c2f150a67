"""The names by which rules, lists and settings speak of a shopper: `stage:loyal`, `tier:high`, `tag:gift`, `country:GB`."""

from __future__ import annotations

from collections.abc import Iterable

from regulars.errors import Invalid
from regulars.profiles.model import LIFECYCLE_STAGES, VALUE_TIERS, Profile

FAMILIES = ("stage", "tier", "tag", "country")
_KNOWN = {"stage": LIFECYCLE_STAGES, "tier": VALUE_TIERS}


def segments_of(profile: Profile, country: str = "") -> frozenset[str]:
    """Every name this shopper answers to. A tag is named by its full path and by its last part."""
    names = {f"stage:{profile.stage}", f"tier:{profile.tier}"}
    for tag in (*profile.rule_tags, *(tag for tag, weight in profile.tags.items() if weight > 0)):
        names |= {f"tag:{tag}", f"tag:{tag.rpartition('/')[2]}"}
    if country:
        names.add(f"country:{country.upper()}")
    return frozenset(names)


def spelled(names: Iterable[str], path: str) -> frozenset[str]:
    """The names in their one spelling; raises Invalid(bad_rules) with the path of one that no shopper can answer to."""
    found = set()
    for number, name in enumerate(names):
        family, _, value = name.partition(":")
        known = _KNOWN.get(family)
        if family not in FAMILIES or not value or (known and value not in known):
            place = f"{path}[{number}]"
            reason = f"{name!r} is no stage:, tier:, tag: or country: that there is"[:200]
            raise Invalid(f"{place}: {reason}", field=place, code="bad_rules")
        found.add(f"country:{value.upper()}" if family == "country" else name)
    return frozenset(found)
