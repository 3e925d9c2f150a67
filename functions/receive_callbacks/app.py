"""receive_callbacks: notifications of SNS topics over HTTP, verified, then queued."""

from functools import cache

from regulars.adapters.http import Api
from regulars.compose.feedback import receive_callbacks
from regulars.feedback.callbacks import routes

api = Api("receive_callbacks")
for route, view in routes(cache(receive_callbacks)).items():
    api.route(route, view)
handler = api.handler
