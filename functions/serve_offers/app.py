"""serve_offers: coupons claimed, shown, redeemed and taken back."""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.offers import serve_offers
from regulars.offers.http import routes

api = Api("serve_offers")
for route, view in routes(cache(serve_offers)).items():
    api.route(route, view)
handler = api.handler
