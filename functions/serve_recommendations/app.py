"""serve_recommendations: what should this shopper see?"""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.recommendations import serve_recommendations
from regulars.recommendations.http import routes

api = Api("serve_recommendations")
for route, view in routes(cache(serve_recommendations)).items():
    api.route(route, view)
handler = api.handler
