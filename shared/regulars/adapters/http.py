"""HTTP in and out: Chalice behind an HTTP API with payload 2.0.

Chalice knows REST API events only, so the event is turned round first: `routeKey` holds the resource path. Views raise
`regulars.errors`; this page alone says which status each has. A view never sees Chalice.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from regulars.errors import (
    Conflict,
    Gone,
    Invalid,
    NotFound,
    RateLimited,
    RegularsError,
    TooLarge,
    TryLater,
    Unauthorised,
    Unmet,
)
from regulars.web import JSON, Reply, Request, View

__all__ = ["Api", "Reply", "Request", "View", "turn_round"]

_STATUS: tuple[tuple[type[RegularsError], int], ...] = (
    (TooLarge, 413),
    (Unmet, 422),
    (Invalid, 400),
    (Unauthorised, 401),
    (NotFound, 404),
    (Gone, 410),
    (Conflict, 409),
    (RateLimited, 429),
    (TryLater, 503),
)


class Api:
    """A Chalice application whose views take a Request and return a Reply or JSON-ready data."""

    def __init__(self, name: str) -> None:
        from chalice.app import Chalice

        self.chalice = Chalice(app_name=name)
        # Of Chalice's thirteen binary types, which it spells anew four times a call, the one that is sent.
        self.chalice.api.binary_types = ["image/gif"]

    def route(self, route: str, view: View) -> None:
        """Register `METHOD /path/{name}` as written in flow.py."""
        method, _, path = route.partition(" ")

        def chalice_view(**params: str) -> Any:
            return _answer(view, self._request(params))

        self.chalice.route(
            path,
            methods=[method],
            name=route,
            content_types=["*/*", "application/json", "application/x-www-form-urlencoded", "text/plain"],
        )(chalice_view)

    def handler(self, event: Mapping[str, Any], context: Any) -> Any:
        """The Lambda handler."""
        return self.chalice(turn_round(event), context)

    def _request(self, params: Mapping[str, str]) -> Request:
        current: Any = self.chalice.current_request
        event = current.to_original_event()  # of `turn_round`: plain, where Chalice's mappings ask themselves for every key
        query = event["multiValueQueryStringParameters"] or {}
        return Request(
            method=current.method,
            path=current.path,
            params=params,
            query={key: values[-1] for key, values in query.items()},
            headers=event["headers"],
            body=current.raw_body,
        )


def turn_round(event: Mapping[str, Any]) -> dict[str, Any]:
    """A payload 2.0 event as the payload 1.0 event Chalice reads (AWS: "Working with AWS Lambda proxy integrations")."""
    http = event["requestContext"]["http"]
    headers = {key.lower(): value for key, value in (event.get("headers") or {}).items()}
    # Chalice answers 415 to a content type it does not know; ours are judged by the views.
    headers["content-type"] = headers.get("content-type") or "application/json"
    if headers["content-type"].split(";")[0].strip().lower() not in _KNOWN_TYPES:
        headers["content-type"] = "application/json"
    # A REST API wants an Accept for binary bodies, and Chalice answers 400 without one; an HTTP API does not.
    headers["accept"] = "*/*"
    resource = event["routeKey"].partition(" ")[2]
    query = event.get("queryStringParameters") or None
    return {
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": http["method"],
            "identity": {},
            "path": http["path"],
        },
        "multiValueQueryStringParameters": {key: [value] for key, value in query.items()} if query else None,
        "pathParameters": event.get("pathParameters") or None,
        "headers": headers,
        "body": event.get("body") or "",
        "isBase64Encoded": bool(event.get("isBase64Encoded")),
        "stageVariables": None,
    }


_KNOWN_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def _answer(view: View, request: Request) -> Any:
    try:
        reply = view(request)
    except RegularsError as error:
        reply = _error_reply(error)
    except Exception:
        # The trace goes to the log (no body, no headers: they may hold personal data), a bare 500 to the caller.
        print(json.dumps({"level": "ERROR", "message": "unexpected", "trace": traceback.format_exc()}), file=sys.stderr)
        reply = Reply(500, {"error": {"code": "internal", "message": "internal error"}})
    return _to_chalice(reply if isinstance(reply, Reply) else Reply(200, reply))


def _error_reply(error: RegularsError) -> Reply:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    body = {"code": error.code, "message": error.reason}
    if isinstance(error, Invalid) and error.field:
        body["field"] = error.field
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TryLater) else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="regulars"'
    return Reply(status, {"error": body}, headers)


def _to_chalice(reply: Reply) -> Any:
    from chalice.app import Response

    headers: dict[str, str | list[str]] = {"Content-Type": reply.content_type, "Cache-Control": "no-store", **reply.headers}
    body = reply.body
    if isinstance(body, dict | list):
        body = JSON.encode(body)
    return Response(body="" if body is None else body, headers=headers, status_code=reply.status)
