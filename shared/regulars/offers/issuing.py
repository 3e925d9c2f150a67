"""What a coupon is, before it is anybody's: edition, code, end, piece of the stock."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from regulars.errors import GiveUp, NotFound
from regulars.ids import stable_id
from regulars.offers.codes import Codes, full_hour
from regulars.offers.config import Offer, OfferSettings
from regulars.offers.model import Coupon
from regulars.offers.stock import Stock

_EDITION_BYTES = 200


class Issuing:
    """Makes coupons that are not stored yet; `zone` is the shop's clock."""

    def __init__(self, config: OfferSettings, codes: Codes, stock: Stock, zone: tzinfo) -> None:
        self._config = config
        self.codes = codes
        self.stock = stock
        self._zone = zone

    @property
    def names(self) -> frozenset[str]:
        """Offers there are."""
        return frozenset(self._config.offers)

    def offer(self, name: str) -> Offer:
        """Raises NotFound(unknown_offer)."""
        found = self._config.offers.get(name)
        if found is None:
            raise NotFound(f"no offer {name!r}", code="unknown_offer")
        return found

    def edition(self, offer: Offer, subject: str, now: datetime) -> str:
        """See `edition_of`."""
        return edition_of(offer, subject, now, self._zone)

    def make(self, name: str, shopper: str, edition: str, now: datetime, *, moment_id: str = "", attempt: int = 0) -> Coupon:
        """A coupon to be stored. Raises GiveUp(offer_closed | sold_out), NotFound(unknown_offer)."""
        offer = self.offer(name)
        expires_at = self.expiry(name, now)
        take = self.stock.choose(name, offer, edition, shopper, now, attempt)
        return Coupon(
            shopper=shopper,
            offer=name,
            edition=edition,
            # A further attempt may owe itself to a code that is somebody else's.
            code=self.codes.make(shopper, name, edition, expires_at, salt=attempt),
            issued_at=now,
            expires_at=expires_at,
            moment_id=moment_id,
            takes=(take,) if take else (),
        )

    def expiry(self, name: str, now: datetime) -> datetime:
        """The end of a coupon issued now; raises GiveUp(offer_closed)."""
        offer = self.offer(name)
        starts, ends = offer.starts_at(self._zone), offer.ends_at(self._zone)
        if starts and now < starts:
            raise GiveUp(f"offer {name!r} starts at {starts.isoformat()}", code="offer_closed")
        ways = [now + timedelta(days=offer.days)] if offer.days is not None else []
        end = full_hour(min([*ways, ends] if ends else ways))
        if end - now < timedelta(hours=self._config.least_hours):
            raise GiveUp(f"offer {name!r} is over", code="offer_closed")
        return end


def edition_of(offer: Offer, subject: str, now: datetime, zone: tzinfo) -> str:
    """The occasion: "", the year or month of the shop's clock, or the moment's subject (hashed when it fits no key)."""
    if offer.edition == "once":
        return ""
    if offer.edition == "moment":
        return subject if len(subject.encode()) <= _EDITION_BYTES else stable_id(subject)
    local = now.astimezone(zone)
    return f"{local:%Y}" if offer.edition == "year" else f"{local:%Y-%m}"
