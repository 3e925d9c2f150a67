"""serve_links: the signed links of messages. What a GET does is told, never undone: only POST unsubscribes.

    GET  /l/o/{token}   a 1×1 picture; reports `opened`
    GET  /l/c/{token}   302 to the item as the ledger's content names it; reports `clicked`
    GET  /l/u/{token}   a page with a button; changes nothing (scanners and previews follow links)
    POST /l/u/{token}   RFC 8058 one-click, or the page's form: consent withdrawn at once; repeating changes nothing

A token that is not ours, not for this use or run out gets a 404 page (a picture all the same for `o`), never a redirect.
A shopper is redirected even when the report cannot be queued: the link is hers, the count is ours.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from regulars.channels.content import Content
from regulars.channels.links import Link, read_link
from regulars.channels.model import Contact
from regulars.clock import Clock, to_ms
from regulars.decisions.model import CHANNELS
from regulars.decisions.ports import Contacts, Ledger
from regulars.errors import TooLarge, TryLater, Unauthorised
from regulars.feedback import link_pages
from regulars.ids import message_id, stable_id
from regulars.messages import Feedback
from regulars.queues import Queue
from regulars.signing import Purpose, Signer
from regulars.web import Reply, Request, View

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_MAX_BODY_BYTES = 4096
_AGENT_LENGTH = 200
_WITHDRAWALS = frozenset({"unsubscribed", "stopped"})


@dataclass(frozen=True, slots=True)
class Links:
    """What the views need."""

    ledger: Ledger
    contacts: Contacts
    feedback: Queue
    signer: Signer
    clock: Clock


def routes(links: Callable[[], Links]) -> dict[str, View]:
    """Route → view; `links` is called inside the first request."""
    return {
        "GET /l/o/{token}": lambda request: _opened(links(), request),
        "GET /l/c/{token}": lambda request: _clicked(links(), request),
        "GET /l/u/{token}": lambda request: _ask(links(), request),
        "POST /l/u/{token}": lambda request: _unsubscribe(links(), request),
    }


def _opened(links: Links, request: Request) -> Reply:
    try:
        link = read_link(links.signer, Purpose.OPEN, request.params["token"])
        _report(links, request, link, "opened", link.channel)
    except Unauthorised:
        pass  # a picture is a picture; an error would show as a broken one
    return Reply(200, PIXEL, content_type="image/gif")


def _clicked(links: Links, request: Request) -> Reply:
    try:
        link = read_link(links.signer, Purpose.CLICK, request.params["token"])
    except Unauthorised:
        return _not_found(request)
    message = links.ledger.get(link.shopper, link.moment_id)
    content = Content.from_wire(message.content) if message else None
    target = content.destination(link.index) if content else ""
    if message is None or content is None or not target:
        return _not_found(request)
    item = content.items[link.index - 1].item_id if link.index else ""
    _report(links, request, link, "clicked", message.channel, {"link": str(link.index), "item_id": item})
    return Reply(302, "", {"Location": target, "Referrer-Policy": "no-referrer"}, "text/plain")


def _ask(links: Links, request: Request) -> Reply:
    try:
        link = read_link(links.signer, Purpose.UNSUBSCRIBE, request.params["token"])
    except Unauthorised:
        return _not_found(request)
    language = _language(links.contacts.load(link.shopper), request)
    return _page(200, link_pages.ask(language, link.channel))


def _unsubscribe(links: Links, request: Request) -> Reply:
    """No cookie, no log-in, no confirmation (RFC 8058 §3.1). The body only chooses: one channel, or all of them."""
    try:
        link = read_link(links.signer, Purpose.UNSUBSCRIBE, request.params["token"])
    except Unauthorised:
        return _not_found(request)
    if len(request.body) > _MAX_BODY_BYTES:
        raise TooLarge(f"at most {_MAX_BODY_BYTES} bytes")
    everything = parse_qs(request.body.decode("utf-8", "replace")).get("scope") == ["all"]
    contact = links.contacts.load(link.shopper)
    _withdraw(links, request, link, contact, CHANNELS if everything else (link.channel,))
    return _page(200, link_pages.done(_language(contact, request), link.channel, everything=everything))


def _withdraw(links: Links, request: Request, link: Link, contact: Contact, channels: Sequence[str]) -> None:
    source = "one-click" if b"One-Click" in request.body else "unsubscribe page"
    if not contact.version:
        # Joined to another shopper since: the address itself says stop, whoever holds it now.
        message = links.ledger.get(link.shopper, link.moment_id)
        address = message.address if message else ""
        _report(links, request, link, "stopped", link.channel, {"source": source}, address)
        return
    if any(contact.consent.get(channel) is not False for channel in channels):
        proof = {"source": source, "agent": _agent(request), "message_id": message_id(link.shopper, link.moment_id)}
        links.contacts.update(link.shopper, now=links.clock(), consent=dict.fromkeys(channels, False), proof=proof)
    _report(links, request, link, "unsubscribed", link.channel, {"source": source})


def _report(
    links: Links,
    request: Request,
    link: Link,
    kind: str,
    channel: str,
    detail: Mapping[str, str] | None = None,
    address: str = "",
) -> None:
    """Queue what happened. A withdrawal has one id for good; opens and clicks are told apart by the second."""
    at_ms = to_ms(links.clock())
    occasion = "" if kind in _WITHDRAWALS else str(at_ms // 1000)
    identity = stable_id(kind, link.shopper, link.moment_id, str(link.index), occasion)
    report = Feedback(
        id=identity,
        correlation_id=identity,
        sent_at_ms=at_ms,
        kind=kind,
        channel=channel,
        at_ms=at_ms,
        message_id=message_id(link.shopper, link.moment_id),
        shopper=link.shopper,
        address=address,
        detail={**(detail or {}), "user_agent": _agent(request)},
    )
    try:
        links.feedback.send([report])
    except TryLater:
        if kind in _WITHDRAWALS:
            raise  # the caller posts again, and then it is told


def _agent(request: Request) -> str:
    """The caller's User-Agent: feedback tells scanners and mail proxies from shoppers by it."""
    return request.headers.get("user-agent", "")[:_AGENT_LENGTH]


def _language(contact: Contact, request: Request) -> str:
    """The shopper's language, else the browser's."""
    return link_pages.language(contact.language or request.headers.get("accept-language", ""))


def _not_found(request: Request) -> Reply:
    return _page(404, link_pages.not_found(link_pages.language(request.headers.get("accept-language", ""))))


def _page(status: int, html: str) -> Reply:
    """A page that runs nothing, is framed nowhere and leaks its address (the token) to nobody."""
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(status, html, headers, "text/html; charset=utf-8")
