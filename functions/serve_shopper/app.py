"""serve_shopper: the shopper's own inbox and preferences."""

from functools import cache

from regulars.adapters.http import Api
from regulars.channels.http import routes
from regulars.compose.channels import serve_shopper

api = Api("serve_shopper")
for route, view in routes(cache(serve_shopper)).items():
    api.route(route, view)
handler = api.handler
