"""erase_shopper: one shopper out of every table, on the operator's word."""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.privacy import erase_shopper
from regulars.privacy.http import routes

api = Api("erase_shopper")
for route, view in routes(cache(erase_shopper)).items():
    api.route(route, view)
handler = api.handler
