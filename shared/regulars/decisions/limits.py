"""Types of the limits in the settings: what push vendors allow, control groups of campaigns, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PER_DAY, PER_MONTH, PER_CAMPAIGN = "day", "month", "campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    """What makers of telephones let one app push to one device as marketing.

    `at_most`: vendor → pushes within any `hours` hours; none outside `opens` to `closes` on the shopper's clock. Vendors
    count by calendar day; with the closed hours no calendar day, not even one of 25 hours, holds more than a rolling day.
    `brands`: other names a device gives as its manufacturer → vendor, in lower case.
    """

    at_most: Mapping[str, int]
    hours: float
    opens: float
    closes: float
    brands: Mapping[str, str]

    def vendor(self, manufacturer: str) -> str:
        """The vendor with a limit that made the device, "" when there is none."""
        name = manufacturer.strip().lower()
        known = self.brands.get(name, name)
        return known if known in self.at_most else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The `share` of a campaign's shoppers that it does not write to; another `salt` draws others."""

    share: float
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The `share` of shoppers never contacted for marketing; another `salt` draws another group.

    `campaigns`: control groups beside it, by campaign (a campaign's name, or a kind of moment).
    """

    share: float
    salt: str
    campaigns: Mapping[str, Control] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Money for messages and what their coupons are expected to cost, in cents of `decisions.currency`.

    `per`: a day, a month (both of the shop's time zone) or the whole life of each campaign. `campaigns`: those it pays
    for (names of campaigns or kinds), empty for all. `shards`: in how many parts it is kept: one part takes about 400
    messages a second; the parts make up the limit exactly, and a message that is dearer than a part pays from several.
    """

    limit_cents: int
    per: str
    campaigns: tuple[str, ...] = ()
    shards: int = 1
