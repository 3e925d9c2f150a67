"""serve_links: the signed links of messages. What a GET does is told, never undone: only POST unsubscribes.

    GET  /l/o/{token}   a 1×1 picture; reports `opened`
    GET  /l/c/{token}   302 to the item as the ledger's content names it; reports `clicked`
    GET  /l/u/{token}   a page with a button; changes nothing (scanners and previews follow links)
    POST /l/u/{token}   RFC 8058 one-click (List-Unsubscribe=One-Click), or the page's form (scope=channel|all): consent
                        withdrawn at once; any other body gets the page and changes nothing (scanners post empty forms)
    HEAD /l/…           as GET, without its body; an open or click by HEAD is a machine's

A destination off the shop's hosts is not followed: 404. A token that is not ours, not for this use or run out gets a 404
page (a picture all the same for `o`), never a redirect.
A shopper is redirected even when the report cannot be queued: the link is hers, the count is ours.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from urllib.parse import parse_qs

from regulars.channels.content import Content
from regulars.channels.links import Destinations, Link, read_link
from regulars.channels.model import Contact
from regulars.clock import Clock, to_ms
from regulars.decisions.model import CHANNELS
from regulars.decisions.ports import Contacts, Ledger
from regulars.errors import TooLarge, TryLater, Unauthorised
from regulars.feedback import link_pages
from regulars.feedback.machines import loads_ahead
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
    destinations: Destinations


def routes(links: Callable[[], Links]) -> dict[str, View]:
    """Route → view; `links` is called inside the first request."""
    reading: dict[str, View] = {
        "/l/o/{token}": lambda request: _opened(links(), request),
        "/l/c/{token}": lambda request: _clicked(links(), request),
        "/l/u/{token}": lambda request: _ask(links(), request),
    }
    heads = {f"HEAD {path}": _without_body(view) for path, view in reading.items()}
    gets = {f"GET {path}": view for path, view in reading.items()}
    return {**gets, **heads, "POST /l/u/{token}": lambda request: _unsubscribe(links(), request)}


def _without_body(view: View) -> View:
    def answer(request: Request) -> Reply:
        reply: Reply = view(request)
        return replace(reply, body="")

    return answer


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
    if message is None or content is None or not links.destinations.allows(target):
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
    """No cookie, no log-in, no confirmation (RFC 8058 §3.1): the body says that it is meant."""
    try:
        link = read_link(links.signer, Purpose.UNSUBSCRIBE, request.params["token"])
    except Unauthorised:
        return _not_found(request)
    if len(request.body) > _MAX_BODY_BYTES:
        raise TooLarge(f"at most {_MAX_BODY_BYTES} bytes")
    meant = _meant(request)
    contact = links.contacts.load(link.shopper)
    if not meant:
        return _page(200, link_pages.ask(_language(contact, request), link.channel))
    # Joined to another shopper since: only this channel's address can be told to stop, and no more is said to be done.
    everything = meant == "all" and contact.version > 0
    source = "one-click" if meant == "one-click" else "unsubscribe page"
    _withdraw(links, request, link, contact, CHANNELS if everything else (link.channel,), source)
    return _page(200, link_pages.done(_language(contact, request), link.channel, everything=everything))


def _meant(request: Request) -> str:
    """`one-click`, the form's `channel` or `all`, "" for a body that says none of them."""
    if loads_ahead(request):
        return ""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    form = _multipart(request) if kind == "multipart/form-data" else parse_qs(request.body.decode("utf-8", "replace"))
    if form.get("List-Unsubscribe") == ["One-Click"]:
        return "one-click"
    scope = form.get("scope", [])
    return scope[0] if scope in (["channel"], ["all"]) else ""


def _multipart(request: Request) -> Mapping[str, list[str]]:
    """RFC 8058 §3.2 lets a provider post its one field as multipart/form-data too."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode("utf-8", "replace")
    form: dict[str, list[str]] = {}
    for part in message_from_bytes(head + request.body).walk():
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            form.setdefault(name, []).append(value.decode("utf-8", "replace").strip())
    return form


def _withdraw(links: Links, request: Request, link: Link, contact: Contact, channels: Sequence[str], source: str) -> None:
    if not contact.version:
        # Joined to another shopper since: the address itself says stop, whoever holds it now.
        message = links.ledger.get(link.shopper, link.moment_id)
        address = message.address if message else ""
        _report(links, request, link, "stopped", link.channel, {"source": source}, address)
        return
    # Said again it stands as of now: a yes from before this, still on its way, must not overrule it.
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
    ahead = loads_ahead(request)
    identity = stable_id(kind, link.shopper, link.moment_id, str(link.index), occasion, *([ahead] if ahead else []))
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
        detail={**(detail or {}), "user_agent": _agent(request)} | ({"bot": ahead} if ahead else {}),
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
