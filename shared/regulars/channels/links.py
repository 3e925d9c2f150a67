"""The signed links of a message.

A token carries shopper and moment (the ledger's key) and, for a click, the number of the link; the destination stays on
our side, in the ledger's content, and must be of the shop: its host stands in the settings, and is looked at when the link
is made and again when it is followed. So a stolen key could at worst point at another link of a message, a poisoned catalogue
leads nowhere, and nobody can make our domain redirect elsewhere (Mautic #16419, dub #4416).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from regulars.channels.content import Content, is_web_address
from regulars.errors import Misconfigured, Unauthorised
from regulars.signing import Purpose, Signer


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where links may lead: `places` are (scheme, host, port as written or "")."""

    places: frozenset[tuple[str, str, str]]

    @classmethod
    def of(cls, home_url: str, hosts: Iterable[str] = ()) -> Destinations:
        """The home page's own place, and `hosts` by https. Raises Misconfigured for a host that is none."""
        if not is_web_address(home_url):
            raise Misconfigured("channels.shop.home_url: expected an absolute web address")
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise Misconfigured(f"channels.links.hosts: {host!r} is no host name in ASCII, without scheme, port or path")
        return cls(frozenset({_place(home_url), *(("https", host.lower(), "") for host in hosts)}))

    def allows(self, url: str) -> bool:
        """Whether a link may lead there."""
        return url.isascii() and is_web_address(url) and _place(url) in self.places


def _place(url: str) -> tuple[str, str, str]:
    """The network location as written, not as parsed: parsers differ, and browsers are others still."""
    parts = urlsplit(url)
    host, _, port = parts.netloc.lower().partition(":")
    return parts.scheme, host, "" if (parts.scheme, port) == ("https", "443") else port


_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """`base_url` is the API's public start without a trailing slash; links live for `lifetime`."""

    signer: Signer
    base_url: str
    lifetime: timedelta
    destinations: Destinations

    def leads(self, content: Content, index: int) -> bool:
        """Whether link `index` of the content leads anywhere it may."""
        return self.destinations.allows(content.destination(index))

    def open(self, shopper: str, moment_id: str, channel: str) -> str:
        """The 1×1 picture that tells an e-mail was shown."""
        return self._url("o", Purpose.OPEN, shopper, moment_id, channel)

    def click(self, shopper: str, moment_id: str, index: int) -> str:
        """Link number `index` of `Content.destination`."""
        return self._url("c", Purpose.CLICK, shopper, moment_id, str(index))

    def unsubscribe(self, shopper: str, moment_id: str, channel: str) -> str:
        """The RFC 8058 address: identifies recipient and list (channel), opaque to others."""
        return self._url("u", Purpose.UNSUBSCRIBE, shopper, moment_id, channel)

    def _url(self, path: str, purpose: Purpose, *parts: str) -> str:
        return f"{self.base_url}/l/{path}/{self.signer.sign(purpose, *parts, lifetime=self.lifetime)}"


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says: of a click the number of the link, of the others the channel."""

    shopper: str
    moment_id: str
    channel: str = ""
    index: int = 0


def read_link(signer: Signer, purpose: Purpose, token: str) -> Link:
    """The link in `token`; raises Unauthorised for anything we did not sign for this purpose, or that has run out."""
    parts = signer.read(purpose, token)
    if len(parts) != 3:
        raise Unauthorised("the token is not valid", code="bad_token")
    shopper, moment_id, last = parts
    if purpose is not Purpose.CLICK:
        return Link(shopper, moment_id, channel=last)
    if not last.removeprefix("-").isdecimal():
        raise Unauthorised("the token is not valid", code="bad_token")
    return Link(shopper, moment_id, index=int(last))
