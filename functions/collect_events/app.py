"""collect_events: speaks Segment's HTTP tracking protocol; validates, corrects clocks, quarantines, queues."""

from functools import cache

from regulars.adapters.http import Api
from regulars.capture.http import routes
from regulars.compose.capture import collect_events

api = Api("collect_events")
for route, view in routes(cache(collect_events)).items():
    api.route(route, view)
handler = api.handler
