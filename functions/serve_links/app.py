"""serve_links: signed open and click links; unsubscribe that only POST changes."""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.feedback import serve_links
from regulars.feedback.links import routes

api = Api("serve_links")
for route, view in routes(cache(serve_links)).items():
    api.route(route, view)
handler = api.handler
