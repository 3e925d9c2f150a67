"""Offers: the coupons' API, their expiry, and what other stages are given of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.clock import Clock
from regulars.compose.channels import signer
from regulars.compose.loading import settings_and_clock
from regulars.compose.profiles import profile_reader

if TYPE_CHECKING:
    from regulars.offers.expiring import ExpireCoupons
    from regulars.offers.http import OffersApi
    from regulars.offers.issuing import Issuing
    from regulars.offers.reserving import Reserving
    from regulars.signing import Signer


def serve_offers(environ: Mapping[str, str] | None = None) -> OffersApi:
    """Keys, the offers as the shop has them, the store; profiles for value tiers, who joined whom and who was erased."""
    from regulars.access import Keys
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.offers.claiming import Claiming
    from regulars.offers.config import OfferSettings
    from regulars.offers.http import OffersApi
    from regulars.offers.redeeming import Redeeming
    from regulars.offers.standing import Standing
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.ServeOffers, environ)
    own = overrides(S3Storage(loaded.data_bucket))
    config, store = section(OfferSettings, "offers", own), DynamoOffers(loaded.offers_table)
    signs, profiles = signer(loaded.signing_secret_arn, clock), profile_reader(loaded.profiles_table, own)
    issuing = make_issuing(loaded.offers_table, signs, own)

    def names_of(shopper: str) -> Sequence[str]:
        profile = profiles.load(shopper, clock())
        return profile.shopper, *profile.aliases

    return OffersApi(
        keys=Keys(loaded.operator_key_hashes, "operator"),
        signer=signs,
        claiming=Claiming(
            config,
            issuing,
            store,
            clock,
            lambda shopper: profiles.load(shopper, clock()).tier,
            DynamoProfiles(loaded.profiles_table).erased,
            names_of,
        ),
        redeeming=Redeeming(config, issuing.codes, store, clock, names_of),
        standing=Standing(issuing, store, clock),
    )


def expire_coupons(environ: Mapping[str, str] | None = None) -> ExpireCoupons:
    """The store and the moments queue."""
    import time

    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.offers.config import OfferSettings
    from regulars.offers.expiring import ExpireCoupons
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.ExpireCoupons, environ)
    return ExpireCoupons(
        config=section(OfferSettings, "offers", overrides(S3Storage(loaded.data_bucket))),
        store=DynamoOffers(loaded.offers_table),
        moments=SqsQueue(loaded.moments_queue_url),
        clock=clock,
        monotonic=time.monotonic,
    )


def reserving(offers_table: str, signs: Signer, own: Mapping[str, Any], clock: Clock) -> Reserving:
    """What messages take along; for send_message."""
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.decisions.config import Decisions
    from regulars.offers.reserving import Reserving
    from regulars.shop import section

    decisions = section(Decisions, "decisions", own)
    return Reserving(make_issuing(offers_table, signs, own), DynamoOffers(offers_table), decisions, clock)


def sold_out(offers_table: str, own: Mapping[str, Any], clock: Clock) -> Callable[[str], bool]:
    """Whether nothing is left of an offer; for decide_message."""
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.decisions.config import Decisions
    from regulars.decisions.zones import shop_zone
    from regulars.offers.config import OfferSettings
    from regulars.offers.standing import SoldOut
    from regulars.shop import section

    zone = shop_zone(section(Decisions, "decisions", own).place)
    return SoldOut(section(OfferSettings, "offers", own), zone, DynamoOffers(offers_table), clock)


def make_issuing(offers_table: str, signs: Signer, own: Mapping[str, Any]) -> Issuing:
    """Coupons in the making, on the shop's clock; codes are made with the key that signs now."""
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.decisions.config import Decisions
    from regulars.decisions.zones import shop_zone
    from regulars.offers.codes import Codes
    from regulars.offers.config import OfferSettings
    from regulars.offers.issuing import Issuing
    from regulars.offers.stock import Stock
    from regulars.shop import section

    config, zone = section(OfferSettings, "offers", own), shop_zone(section(Decisions, "decisions", own).place)
    codes = Codes(signs.keys.secrets[signs.keys.current])
    return Issuing(config, codes, Stock(DynamoOffers(offers_table), config.sharding), zone)
