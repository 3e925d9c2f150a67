"""The page of the demonstration: the outbox (mails as they were rendered, push, SMS, in-app) and a shopper's timeline.

Serves on 127.0.0.1 only and reads the local stack; nothing is changed by looking.
"""

from __future__ import annotations

import http.server
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from liquid import Environment, PackageLoader

Page = tuple[int, str, str]
_PIXEL = re.compile(r"<img[^>]*/l/o/[^>]*>")
_PICTURE = re.compile(r'src="https://shop\.example/images/([^"]+)"')


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it left: `html` for mails, `text` for the others."""

    id: str
    at: str
    channel: str
    kind: str
    shopper: str
    to: str
    subject: str
    text: str
    html: str = ""


@dataclass
class Console:
    """What the page shows; the three sources are given so that a test can serve made-up ones."""

    outbox: Callable[[], Iterable[Sent]]
    story: Callable[[str], Mapping[str, Any]]
    timeline: Callable[[str], Iterable[Mapping[str, Any]]]
    shoppers: Callable[[], Iterable[str]]

    @cached_property
    def templates(self) -> Environment:
        return Environment(loader=PackageLoader("regulars_demo", package_path="pages"), autoescape=True)

    def answer(self, target: str) -> Page:
        """(status, content type, body) for a request target."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/":
            return self._outbox(query)
        if parts.path.startswith("/mail/"):
            return self._mail(unquote(parts.path.removeprefix("/mail/")))
        if parts.path.startswith("/picture/"):
            return 200, "image/svg+xml", picture(unquote(parts.path.removeprefix("/picture/")))
        if parts.path == "/shopper":
            return self._shopper(query.get("id", "").strip())
        if parts.path == "/style.css":
            return 200, "text/css", resources.files("regulars_demo").joinpath("pages", "style.css").read_text("utf-8")
        return self._render(404, "missing", {"path": parts.path})

    def _outbox(self, query: Mapping[str, str]) -> Page:
        every = sorted(self.outbox(), key=lambda sent: sent.at, reverse=True)
        channel, kind = query.get("channel", ""), query.get("kind", "")
        shown = [sent for sent in every if channel in ("", sent.channel) and kind in ("", sent.kind)]
        values = {
            "messages": [_row(sent) for sent in shown[:300]],
            "count": len(shown),
            "total": len(every),
            "channels": _choices(Counter(sent.channel for sent in every), channel),
            "kinds": _choices(Counter(sent.kind for sent in every), kind),
            "channel": channel,
            "kind": kind,
            "shoppers": list(self.shoppers())[:12],
        }
        return self._render(200, "outbox", values)

    def _mail(self, number: str) -> Page:
        for sent in self.outbox():
            if sent.id == number:
                return 200, "text/html", preview(sent.html) or f"<pre>{escape(sent.text)}</pre>"
        return self._render(404, "missing", {"path": f"message {number}"})

    def _shopper(self, shopper: str) -> Page:
        if not shopper:
            return self._render(404, "missing", {"path": "a shopper without a number"})
        key = shopper if ":" in shopper else f"user:{shopper}"
        values = {"shopper": key, "story": dict(self.story(key)), "events": [dict(event) for event in self.timeline(key)]}
        return self._render(200, "shopper", values)

    def _render(self, status: int, name: str, values: Mapping[str, Any]) -> Page:
        return status, "text/html", self.templates.get_template(f"{name}.html").render(**values)


def preview(html: str) -> str:
    """The mail for looking at: without the open pixel (looking here is no opening), the sample's pictures, which do not
    exist, drawn by this page."""
    shown = _PIXEL.sub("", html)
    return _PICTURE.sub(lambda found: f'src="/picture/{found.group(1)}"', shown)


def picture(name: str) -> str:
    """A quiet tile in a colour of the item's own."""
    hue = sum(name.encode()) * 37 % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<rect width="100" height="100" fill="hsl({hue},35%,82%)"/><circle cx="50" cy="42" r="17" fill="hsl({hue},35%,66%)"/>'
        f'<rect x="24" y="64" width="52" height="20" rx="10" fill="hsl({hue},35%,66%)"/></svg>'
    )


def _row(sent: Sent) -> dict[str, Any]:
    return {
        "id": quote(sent.id, safe=""),
        "at": sent.at[:16].replace("T", " "),
        "channel": sent.channel,
        "kind": sent.kind.replace("_", " "),
        "shopper": sent.shopper,
        "link": quote(sent.shopper, safe=""),
        "to": sent.to,
        "subject": sent.subject,
        "text": sent.text,
        "is_mail": bool(sent.html),
    }


def _choices(counts: Counter[str], chosen: str) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": value.replace("_", " "), "count": count, "on": value == chosen}
        for value, count in counts.most_common()
    ]


def server(console: Console, port: int) -> http.server.ThreadingHTTPServer:
    """A server on 127.0.0.1 (port 0: any free one); the caller runs and closes it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, kind, body = console.answer(self.path)
            except Exception as error:  # the page must say what broke instead of hanging up
                status, kind, body = 500, "text/plain", f"{type(error).__name__}: {error}"
            data = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Security-Policy", "default-src 'self' 'unsafe-inline'; img-src 'self' data:")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)


def dump(console: Console) -> str:
    """The outbox as JSON lines, for those without a browser."""
    return "\n".join(json.dumps(_row(sent), ensure_ascii=False) for sent in console.outbox())
