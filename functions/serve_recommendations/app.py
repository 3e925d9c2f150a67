"""serve_recommendations: what should this shopper see, and what does the shop have for these words?"""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.recommendations import serve_recommendations, serve_search
from regulars.recommendations.http import routes
from regulars.recommendations.search.http import search_routes

recommendations = cache(serve_recommendations)
searching = cache(lambda: serve_search(recommendations()))
api = Api("serve_recommendations")
for route, view in {**routes(recommendations), **search_routes(searching)}.items():
    api.route(route, view)
handler = api.handler
