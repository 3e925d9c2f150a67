"""The collecting API: Segment's HTTP tracking protocol, `POST /v1/{track,identify,page,screen,alias,group,batch}`.

A call alone answers 200 `{"success": true, "messageId": …}` or a 4xx with its reason. A batch answers 200 with a receipt
per entry; Segment's clients read the status only, so one bad entry never makes them repeat or drop its neighbours.
Bodies may be gzipped (`Content-Encoding: gzip`); limits hold for the inflated size.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from regulars.access import Keys
from regulars.capture.collecting import Collector
from regulars.capture.validation import TYPES
from regulars.errors import Invalid, TooLarge
from regulars.web import Request, View

_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class CollectingApi:
    """What the views need. An operator's key opens all that an app's write key does, and the catalogue feeds."""

    keys: Keys
    collector: Collector
    operators: Keys = field(default_factory=lambda: Keys("", "operator"))


def routes(api: Callable[[], CollectingApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""
    views: dict[str, View] = {f"POST /v1/{kind}": _call_view(api, kind) for kind in sorted(TYPES)}
    views["POST /v1/batch"] = _batch_view(api)
    views["GET /v1/health"] = lambda request: {"status": "ok"}
    return views


def _call_view(api: Callable[[], CollectingApi], kind: str) -> View:
    def view(request: Request) -> Mapping[str, Any]:
        collector = api().collector
        raw, feeds = _authorised_body(api(), request, collector.config.max_call_bytes)
        receipt = collector.collect(kind, raw, feeds=feeds)
        return {"success": True, "messageId": receipt.message_id}

    return view


def _batch_view(api: Callable[[], CollectingApi]) -> View:
    def view(request: Request) -> Mapping[str, Any]:
        collector = api().collector
        body, feeds = _authorised_body(api(), request, collector.config.max_batch_bytes)
        receipts = collector.collect_batch(body, feeds=feeds)
        count = {"accepted": 0, "repeated": 0, "rejected": 0}
        for receipt in receipts:
            count[receipt.status] += 1
        results = [receipt.to_json(index) for index, receipt in enumerate(receipts)]
        return {"success": not count["rejected"], **count, "results": results}

    return view


def _authorised_body(api: CollectingApi, request: Request, limit: int) -> tuple[Any, bool]:
    """(the JSON body without the key that may stand in it, whether an operator sent it).

    Raises Unauthorised before it parses when headers tell.
    """
    shown = request.headers.get("authorization")
    feeds = _is_operator(api, request, None) if shown else False
    body = replace(request, body=_inflated(request, limit)).json()
    write_key = body.pop("writeKey", None) if type(body) is dict else None
    return body, feeds if shown else _is_operator(api, request, write_key)


def _is_operator(api: CollectingApi, request: Request, from_body: object) -> bool:
    """True for an operator's key, False for an app's; raises Unauthorised for any other."""
    key = request.basic_user() or request.bearer() or from_body
    if isinstance(key, str) and key and api.operators.knows(key):
        return True
    api.keys.check(request, from_body)
    return False


def _inflated(request: Request, limit: int) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if len(request.body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes")
    if encoding in ("", "identity"):
        return request.body
    if encoding != "gzip":
        raise Invalid("only gzip is understood", field="Content-Encoding", code="unsupported_encoding")
    stream = zlib.decompressobj(_GZIP)
    try:
        body = stream.decompress(request.body, limit + 1)
    except zlib.error as error:
        raise Invalid("body is not valid gzip", code="invalid_gzip") from error
    if len(body) > limit:
        raise TooLarge(f"the body has more than {limit} bytes when inflated")
    if not stream.eof or stream.unused_data:
        raise Invalid("body is not one whole gzip stream", code="invalid_gzip")
    return body
