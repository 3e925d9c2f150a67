"""Links in messages: nothing redirects that we did not sign, nothing but a POST unsubscribes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.support.sending import DESTINATIONS, EMAIL, NOW, SHOPPER, Hand, content, link_maker, planned, signer
from tests.unit.test_signing import forgeries

from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.messages import MemoryLedger
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.suppressions import MemorySuppressions
from regulars.channels.links import Destinations
from regulars.decisions.model import CHANNELS
from regulars.errors import Misconfigured, TooLarge, TryLater
from regulars.feedback.links import Links, routes
from regulars.messages import Feedback
from regulars.signing import Purpose
from regulars.web import Reply, Request

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"
ONE_CLICK = b"List-Unsubscribe=One-Click"
MESSAGE = planned()
KEY = (MESSAGE.shopper, MESSAGE.moment_id)


class Site:
    """The four views on memory adapters."""

    def __init__(self) -> None:
        self.clock = Hand()
        self.contacts = MemoryContacts()
        self.ledger = MemoryLedger(self.contacts, MemorySuppressions())
        self.queue = MemoryQueue()
        self.views = routes(lambda: Links(self.ledger, self.contacts, self.queue, signer(self.clock), self.clock, DESTINATIONS))
        self.ledger.record(MESSAGE)
        self.contacts.update(SHOPPER, now=NOW, consent=dict.fromkeys(CHANNELS, True), addresses={"email": EMAIL})

    def ask(self, route: str, token: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        request = Request(route.split()[0], "", {"token": token}, {}, {"user-agent": SAFARI, **(headers or {})}, body)
        reply = self.views[route](request)
        assert isinstance(reply, Reply)
        return reply

    def told(self) -> list[Feedback]:
        return [message for message in self.queue.messages if isinstance(message, Feedback)]


@pytest.fixture
def site() -> Site:
    return Site()


def token(url: str) -> str:
    return url.rsplit("/", 1)[1]


CLICK = token(link_maker().click(*KEY, 1))
OPEN = token(link_maker().open(*KEY, "email"))
UNSUBSCRIBE = token(link_maker().unsubscribe(*KEY, "email"))


def test_a_click_leads_to_the_item_and_is_told(site: Site) -> None:
    reply = site.ask("GET /l/c/{token}", CLICK)
    assert (reply.status, reply.headers["Location"]) == (302, "https://shop.example/items/mug?a=1&b=2")
    (told,) = site.told()
    assert (told.kind, told.channel, told.shopper) == ("clicked", "email", SHOPPER)
    assert told.detail == {"link": "1", "item_id": "mug", "user_agent": SAFARI}


def test_the_call_to_action_leads_to_the_decisions_page_else_the_first_item(site: Site) -> None:
    call = token(link_maker().click(*KEY, 0))
    assert site.ask("GET /l/c/{token}", call).headers["Location"] == "https://shop.example/items/mug?a=1&b=2"
    site.ledger.record(planned("welcome", content=content(url="https://shop.example/new").to_wire()))
    other = token(link_maker().click(SHOPPER, "welcome#1", 0))
    assert site.ask("GET /l/c/{token}", other).headers["Location"] == "https://shop.example/new"


@pytest.mark.parametrize("index", [2, 3, 99, -1])
def test_a_link_without_a_destination_is_no_redirect(site: Site, index: int) -> None:
    reply = site.ask("GET /l/c/{token}", token(link_maker().click(*KEY, index)))
    assert (reply.status, "Location" in reply.headers, site.told()) == (404, False, [])


def test_a_hostile_url_in_the_catalogue_is_no_redirect(site: Site) -> None:
    hostile = content(url="javascript:alert(1)").to_wire()
    site.ledger.record(planned("welcome", content=hostile))
    assert site.ask("GET /l/c/{token}", token(link_maker().click(SHOPPER, "welcome#1", 0))).status == 404


def test_a_link_of_an_erased_message_is_no_redirect(site: Site) -> None:
    assert site.ask("GET /l/c/{token}", token(link_maker().click(SHOPPER, "gone#1", 0))).status == 404


def test_forged_links_never_redirect_never_change_never_count(site: Site) -> None:
    before = site.contacts.load(SHOPPER)
    for forged in [*forgeries(), OPEN, UNSUBSCRIBE]:
        reply = site.ask("GET /l/c/{token}", forged)
        assert (reply.status, "Location" in reply.headers) == (404, False)
    for forged in [one for one in [*forgeries(), OPEN, CLICK] if one not in (UNSUBSCRIBE, token_of_forgeries())]:
        assert site.ask("POST /l/u/{token}", forged, ONE_CLICK).status == 404
        assert site.ask("GET /l/u/{token}", forged).status == 404
        if forged != OPEN:
            assert site.ask("GET /l/o/{token}", forged).body[:6] == b"GIF89a"
    assert site.contacts.load(SHOPPER) == before
    assert site.told() == []


def token_of_forgeries() -> str:
    """The good token the forgeries were made from."""
    from tests.unit.test_signing import token as good

    return good()


def test_an_expired_link_is_dead(site: Site) -> None:
    site.clock.pass_(days=401)
    assert site.ask("GET /l/c/{token}", CLICK).status == 404
    assert site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK).status == 404
    assert site.contacts.load(SHOPPER).consent["email"]


def test_an_open_is_told_with_its_agent(site: Site) -> None:
    reply = site.ask("GET /l/o/{token}", OPEN, headers={"user-agent": "bot" * 200})
    assert (reply.content_type, reply.body[:6]) == ("image/gif", b"GIF89a")
    assert site.told()[0].kind == "opened"
    assert len(site.told()[0].detail["user_agent"]) == 200


SCANNERS = (SAFARI, "Mozilla/5.0", "Barracuda Sentinel", "Mimecast-Url-Scanner", "python-requests/2.32", "curl/8", "")
AHEAD: tuple[dict[str, str], ...] = (
    {},
    {"sec-purpose": "prefetch;prerender"},
    {"x-purpose": "preview"},
    {"x-moz": "prefetch"},
    {"purpose": "prefetch"},
)
NOT_MEANT = (
    b"",
    b"\xff\xfe",
    b"{}",
    b"List-Unsubscribe=one-click",
    b"List-Unsubscribe=One-Click&List-Unsubscribe=x",
    b"scope=",
    b"scope=sms",
    b"scope=all&scope=channel",
    b"x=List-Unsubscribe=One-Click",
    b"--x\r\n\r\nOne-Click\r\n--x--",
)


def test_a_thousand_scanner_visits_change_nothing(site: Site) -> None:
    """GET, HEAD and posts that do not say it is meant, by every sort of scanner; 1,000 of them and more."""
    before, visits = site.contacts.load(SHOPPER), 0
    for _ in range(3):
        for agent in SCANNERS:
            for ahead in AHEAD:
                headers = {"user-agent": agent, **ahead}
                for method in ("GET", "HEAD"):
                    assert site.ask(f"{method} /l/u/{{token}}", UNSUBSCRIBE, headers=headers).status == 200
                for body in (*NOT_MEANT, *([ONE_CLICK] if ahead else [])):
                    reply = site.ask("POST /l/u/{token}", UNSUBSCRIBE, body, headers)
                    assert (reply.status, "Unsubscribe?" in str(reply.body)) == (200, True)
                visits += 2 + len(NOT_MEANT)
    assert visits > 1000
    assert site.contacts.load(SHOPPER) == before
    assert site.told() == []


def test_head_answers_as_get_does_without_a_body(site: Site) -> None:
    for path, good in (("o", OPEN), ("c", CLICK), ("u", UNSUBSCRIBE)):
        for token in (good, "bad"):
            get, head = (site.ask(f"{method} /l/{path}/{{token}}", token) for method in ("GET", "HEAD"))
            assert (head.status, head.headers, head.content_type, head.body) == (get.status, get.headers, get.content_type, "")


@pytest.mark.parametrize("headers", [{}, *AHEAD[1:]])
def test_opens_and_clicks_ahead_of_anybody_looking_are_said_to_be(site: Site, headers: dict[str, str]) -> None:
    method = "GET" if headers else "HEAD"
    site.ask(f"{method} /l/o/{{token}}", OPEN, headers=headers)
    site.ask(f"{method} /l/c/{{token}}", CLICK, headers=headers)
    assert [bool(told.detail["bot"]) for told in site.told()] == [True, True]


MULTIPART = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (ONE_CLICK, ""),
        (ONE_CLICK + b"&x=1", "application/x-www-form-urlencoded; charset=utf-8"),
        (MULTIPART, "multipart/form-data; boundary=x"),
        (b"scope=channel", "application/x-www-form-urlencoded"),
    ],
)
def test_a_post_that_means_it_unsubscribes_at_once_without_a_cookie(site: Site, body: bytes, kind: str) -> None:
    reply = site.ask("POST /l/u/{token}", UNSUBSCRIBE, body, {"content-type": kind})
    contact = site.contacts.load(SHOPPER)
    assert reply.status == 200
    assert [channel for channel in CHANNELS if not contact.consent[channel]] == ["email"]
    assert not contact.allows("email", "carts")
    (shopper, at, subject, granted, proof) = site.contacts.proofs[-1]
    assert (shopper, at, subject, granted) == (SHOPPER, NOW, "email", False)
    assert proof["source"] == ("one-click" if b"One-Click" in body else "unsubscribe page")


def test_a_repeated_post_changes_nothing_more_and_is_told_under_one_id(site: Site) -> None:
    for _ in range(3):
        site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK)
        assert [channel for channel in CHANNELS if not site.contacts.load(SHOPPER).consent[channel]] == ["email"]
        site.clock.pass_(days=1)
    assert len({told.id for told in site.told()}) == 1


def test_a_repeated_post_outdates_a_yes_that_was_on_its_way(site: Site) -> None:
    site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK)
    site.clock.pass_(hours=2)
    site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK)
    between = {"email": NOW + timedelta(hours=1)}
    site.contacts.update(SHOPPER, now=site.clock(), consent={"email": True}, consent_at=between)
    assert site.contacts.load(SHOPPER).consent["email"] is False


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://shop.example/", "https://shop.example:8443/", "https://shop.example.evil.example/"]
)
def test_a_destination_that_is_not_the_shops_is_not_followed(site: Site, url: str) -> None:
    """The catalogue was poisoned, or the settings changed since: looked at again when it is followed."""
    site.ledger.record(planned("welcome", content=content(url=url).to_wire()))
    made = token(link_maker().click(SHOPPER, "welcome#1", 0))
    assert site.ask("GET /l/c/{token}", made).status == 404
    assert site.told() == []


def test_a_link_that_may_not_lead_there_is_not_made() -> None:
    maker = link_maker()
    assert maker.leads(content(), 1)
    assert not maker.leads(content(url="https://evil.example/"), 0)
    assert not maker.leads(content(), 9)


@pytest.mark.parametrize(
    "host", ["https://a.example", "a.example/", "a.example:443", "*.example", "", "ä.example", "a..example"]
)
def test_a_host_that_is_none_is_refused_by_name(host: str) -> None:
    with pytest.raises(Misconfigured, match=r"links\.hosts"):
        Destinations.of("https://shop.example/", [host])
    with pytest.raises(Misconfigured, match="home_url"):
        Destinations.of("shop.example", [])


def test_more_hosts_may_be_named() -> None:
    wide = Destinations.of("http://localhost:8000/", ["WWW.Shop.Example"])
    for url in ("http://localhost:8000/a", "https://www.shop.example/a", "https://WWW.shop.example:443/a"):
        assert wide.allows(url)
    for url in ("http://localhost/a", "https://localhost:8000/a", "http://www.shop.example/a", "https://shop.example/a"):
        assert not wide.allows(url)


def test_the_form_may_refuse_every_channel(site: Site) -> None:
    reply = site.ask("POST /l/u/{token}", UNSUBSCRIBE, b"scope=all")
    assert not any(site.contacts.load(SHOPPER).consent[channel] for channel in CHANNELS)
    assert "any channel" in str(reply.body)


def test_a_large_body_is_refused(site: Site) -> None:
    with pytest.raises(TooLarge):
        site.ask("POST /l/u/{token}", UNSUBSCRIBE, b"x" * 5000)


def test_the_address_of_a_joined_shopper_says_stop(site: Site) -> None:
    site.contacts.merge(SHOPPER, "user:ann-2", now=NOW)
    site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK)
    (told,) = site.told()
    assert (told.kind, told.channel, told.address) == ("stopped", "email", EMAIL)


def test_a_joined_shopper_is_not_told_that_all_channels_stopped(site: Site) -> None:
    """Only the address of the message's own channel is known here."""
    site.contacts.merge(SHOPPER, "user:ann-2", now=NOW)
    one, everything = (site.ask("POST /l/u/{token}", UNSUBSCRIBE, body).body for body in (b"scope=channel", b"scope=all"))
    assert one == everything
    assert {(told.kind, told.channel) for told in site.told()} == {("stopped", "email")}


def test_a_full_queue_stops_neither_redirect_nor_picture_but_asks_for_the_post_again(site: Site) -> None:
    site.queue.failing = TryLater("full")
    assert site.ask("GET /l/c/{token}", CLICK).status == 302
    assert site.ask("GET /l/o/{token}", OPEN).status == 200
    with pytest.raises(TryLater):
        site.ask("POST /l/u/{token}", UNSUBSCRIBE, ONE_CLICK)
    assert site.contacts.load(SHOPPER).consent["email"] is False


@pytest.mark.parametrize(
    ("language", "accepts", "word"), [("zh", "en", "退订"), ("en", "zh-CN", "Unsubscribe"), ("", "zh-CN,zh;q=0.9", "退订")]
)
def test_the_page_speaks_her_language(site: Site, language: str, accepts: str, word: str) -> None:
    site.contacts.update(SHOPPER, now=NOW, details={"language": language})
    assert word in str(site.ask("GET /l/u/{token}", UNSUBSCRIBE, headers={"accept-language": accepts}).body)


def test_a_page_runs_nothing_and_leaks_its_address_to_nobody(site: Site) -> None:
    reply = site.ask("GET /l/u/{token}", UNSUBSCRIBE)
    assert "script" not in str(reply.body)
    assert "http" not in str(reply.body)
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Referrer-Policy"] == "no-referrer"


def test_a_strange_channel_in_a_signed_token_is_never_shown_raw(site: Site) -> None:
    made: Any = signer().sign(Purpose.UNSUBSCRIBE, *KEY, "<script>", lifetime=timedelta(days=1))
    assert "<script" not in str(site.ask("GET /l/u/{token}", made).body)
