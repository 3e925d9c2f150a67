"""serve_operator: catalogue import, merchandising rules, quarantine, explanations, reports."""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.operation import serve_operator
from regulars.operation.http import routes

api = Api("serve_operator")
for route, view in routes(cache(serve_operator)).items():
    api.route(route, view)
handler = api.handler
