"""The signed links of a message.

A token carries shopper and moment (the ledger's key) and, for a click, the number of the link; the destination stays on
our side, in the ledger's content. So a stolen key could at worst point at another link of a message, and nobody can
make our domain redirect elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from regulars.signing import Purpose, Signer


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """`base_url` is the API's public start without a trailing slash; links live for `lifetime`."""

    signer: Signer
    base_url: str
    lifetime: timedelta

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
    shopper, moment_id, last = signer.read(purpose, token)
    if purpose is Purpose.CLICK:
        return Link(shopper, moment_id, index=int(last))
    return Link(shopper, moment_id, channel=last)
