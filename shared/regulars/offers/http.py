"""Routes of offers: the shopper's with her Bearer token, the shop's server's with an operator key.

GET  /v1/coupons                  her wallet
POST /v1/offers/{offer}/claim     her coupon of an offer, new or held before
POST /v1/coupons/{code}/redeem    {"order_id", "total_cents", "currency", "shopper", …} → what it saves
POST /v1/coupons/{code}/return    {"order_id"}: the order was undone
GET  /v1/offers/{offer}           how it stands
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regulars.access import Keys
from regulars.errors import TooLarge
from regulars.offers.claiming import Claiming
from regulars.offers.redeeming import Redeeming
from regulars.offers.rules import basket_of, order_of
from regulars.offers.standing import Standing
from regulars.signing import Signer
from regulars.web import Request, View

_MAX_BODY_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class OffersApi:
    """What the views need."""

    keys: Keys
    signer: Signer
    claiming: Claiming
    redeeming: Redeeming
    standing: Standing


def routes(api: Callable[[], OffersApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""

    def show_wallet(request: Request) -> Any:
        return api().claiming.wallet(api().signer.shopper(request.bearer()))

    def claim(request: Request) -> Any:
        shopper = api().signer.shopper(request.bearer())
        return api().claiming.to_wire(api().claiming.claim(shopper, request.params["offer"]))

    def redeem(request: Request) -> Any:
        body = _body(api(), request)
        return api().redeeming.redeem(request.params["code"], basket_of(body))

    def take_back(request: Request) -> Any:
        body = _body(api(), request)
        return api().redeeming.take_back(request.params["code"], order_of(body))

    def show_offer(request: Request) -> Any:
        api().keys.check(request)
        return api().standing(request.params["offer"])

    return {
        "GET /v1/coupons": show_wallet,
        "POST /v1/offers/{offer}/claim": claim,
        "POST /v1/coupons/{code}/redeem": redeem,
        "POST /v1/coupons/{code}/return": take_back,
        "GET /v1/offers/{offer}": show_offer,
    }


def _body(api: OffersApi, request: Request) -> Any:
    """The JSON of the shop's server."""
    api.keys.check(request)
    if len(request.body) > _MAX_BODY_BYTES:
        raise TooLarge(f"at most {_MAX_BODY_BYTES} bytes")
    return request.json()
