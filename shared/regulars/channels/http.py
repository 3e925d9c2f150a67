"""The shopper's own routes. She shows a Bearer token (`regulars.signing`), made by the shop's server or `regulars token`.

GET  /v1/inbox                     {"messages": […], "unread": 1}
POST /v1/inbox/{message_id}/read   {"message_id": …, "first": true}
GET  /v1/preferences               {"channels": {"email": {"consent": true, "reachable": true}, …}, "topics": {}, …}
PUT  /v1/preferences               {"consent": {"email": false}, "topics": {"email/carts": false}, "language": "zh"}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from regulars.channels.inbox import ShopperInbox
from regulars.channels.preferences import Preferences
from regulars.errors import TooLarge
from regulars.signing import Signer
from regulars.web import Request, View

_MAX_BODY_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class ShopperApi:
    """What the views need."""

    signer: Signer
    inbox: ShopperInbox
    preferences: Preferences


def routes(api: Callable[[], ShopperApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""

    def shopper(request: Request) -> str:
        return api().signer.shopper(request.bearer())

    def show_inbox(request: Request) -> object:
        return api().inbox.show(shopper(request))

    def mark_read(request: Request) -> object:
        return api().inbox.read(shopper(request), request.params["message_id"])

    def show_preferences(request: Request) -> object:
        return api().preferences.show(shopper(request))

    def change_preferences(request: Request) -> object:
        who = shopper(request)
        if len(request.body) > _MAX_BODY_BYTES:
            raise TooLarge(f"at most {_MAX_BODY_BYTES} bytes")
        agent = request.headers.get("user-agent", "")
        return api().preferences.change(who, request.json(), source="preferences", agent=agent)

    return {
        "GET /v1/inbox": show_inbox,
        "POST /v1/inbox/{message_id}/read": mark_read,
        "GET /v1/preferences": show_preferences,
        "PUT /v1/preferences": change_preferences,
    }
