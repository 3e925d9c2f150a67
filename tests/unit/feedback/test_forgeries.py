"""Forged SNS messages, links, shoppers' tokens and one-click posts: every one is turned away before anything is changed, and
before any address is fetched but Amazon's own. `test_there_are_enough_of_them` counts them."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from tests.support.sending import NOW as SIGNED_AT
from tests.support.sending import SHOPPER, Hand, link_maker, signer
from tests.support.sns import CERTIFICATE_URL, CHINA, TOPIC, Door, certificate, signed, unsigned
from tests.unit.feedback.test_links import KEY, ONE_CLICK, Site

from regulars.errors import RegularsError, Unauthorised
from regulars.signing import Keys, Purpose, Signer

HOST, NAME = "sns.eu-west-1.amazonaws.com", "SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"

CERTIFICATE_URLS = (
    f"http://{HOST}/{NAME}",
    f"ftp://{HOST}/{NAME}",
    f"file:///{NAME}",
    f"//{HOST}/{NAME}",
    f"HTTPS://{HOST}/{NAME}",
    f"https://{HOST.upper()}/{NAME}",
    f"https://{HOST}./{NAME}",
    f"https://{HOST}:443/{NAME}",
    f"https://{HOST}:8443/{NAME}",
    f"https://user@{HOST}/{NAME}",
    f"https://user:password@{HOST}/{NAME}",
    f"https://{HOST}@evil.example/{NAME}",
    f"https://{HOST}%40evil.example/{NAME}",
    f"https://evil.example/{HOST}/{NAME}",
    f"https://evil.example/?{HOST}/{NAME}",
    f"https://evil.example#{HOST}/{NAME}",
    f"https://evil.example\\@{HOST}/{NAME}",
    f"https://{HOST}.evil.example/{NAME}",
    f"https://evil-{HOST}/{NAME}",
    f"https://evil.{HOST}/{NAME}",
    f"https://s3.amazonaws.com/{NAME}",
    f"https://s3.amazonaws.com/bucket/{NAME}",
    f"https://sns.s3.amazonaws.com/{NAME}",
    f"https://sns.eu-west-1.s3.amazonaws.com/{NAME}",
    f"https://bucket.s3.eu-west-1.amazonaws.com/{NAME}",
    f"https://sns-eu-west-1.amazonaws.com/{NAME}",
    f"https://sns.amazonaws.com/{NAME}",
    f"https://sns.us-east-1.amazonaws.com/{NAME}",  # a region, but not the topic's
    f"https://sns.eu-west-1.amazonaws.com.cn/{NAME}",
    f"https://sns.eu-west-1.amazonaws.co/{NAME}",
    f"https://sns.eu-west-1.amazonaws.com.evil.example/{NAME}",
    f"https://sns.eu-west-1-amazonaws.com/{NAME}",
    f"https://sns.eu-west-1xamazonaws.com/{NAME}",
    f"https://snsxeu-west-1.amazonaws.com/{NAME}",
    f"https://ѕns.eu-west-1.amazonaws.com/{NAME}",  # a Cyrillic letter
    f"https://sns.eu-west-1.amazonaws。com/{NAME}",
    f"https://{HOST}/{NAME}?x=1",
    f"https://{HOST}/{NAME}#x",
    f"https://{HOST}/{NAME};x",
    f"https://{HOST}/{NAME}/",
    f"https://{HOST}/{NAME}\n",
    f"https://{HOST}/{NAME}%00",
    f" https://{HOST}/{NAME}",
    f"https://{HOST}//{NAME}",
    f"https://{HOST}/x/{NAME}",
    f"https://{HOST}/../{NAME}",
    f"https://{HOST}/%2e%2e/{NAME}",
    f"https://{HOST}/x/../{NAME}",
    f"https://{HOST}/?Action=GetObject&{NAME}",
    f"https://{HOST}/SimpleNotificationService-../x.pem",
    f"https://{HOST}/SimpleNotificationService-.pem",
    f"https://{HOST}/SimpleNotificationService.pem",
    f"https://{HOST}/SimpleNotificationServiceX{'a' * 32}.pem",
    f"https://{HOST}/SimpleNotificationService-{'a' * 65}.pem",
    f"https://{HOST}/SimpleNotificationService-é.pem",
    f"https://{HOST}/SimpleNotificationService-a.pem.crt",
    f"https://{HOST}/simplenotificationservice-a.pem",
    "",
)
TOPICS = (
    TOPIC.replace("123456789012", "666666666666"),
    TOPIC.replace("eu-west-1", "us-east-1"),
    TOPIC + "-2",
    TOPIC[:-1],
    TOPIC.upper(),
    TOPIC + " ",
    " " + TOPIC,
    TOPIC + "\n",
    TOPIC.replace("sns", "sqs"),
    f"{TOPIC},{CHINA}",
    "*",
    "",
)
TIMES = (
    "2026-08-05T10:54:59.000Z",
    "2026-08-05T12:05:00.001Z",
    "2025-08-05T11:59:30.123Z",
    "2036-08-05T11:59:30.123Z",
    "2026-08-05T11:59:30.123",
    "2026-08-05T11:59:30.123+00:00",
    "2026-08-05 11:59:30.123Z",
    "2026-08-05",
    "2026-13-05T11:59:30.123Z",
    "２０２６-08-05T11:59:30.123Z",
    "1785931170",
    "now",
    "",
)
NOT_MESSAGES: tuple[Any, ...] = (
    b"", b"null", b"[]", b'"x"', b"1", b"{}", b"{", b"\xff\xfe", b"NaN", b"[" * 100_000, b'{"Type": "Notification"}',
    {**unsigned(), "Type": "notification"}, {**unsigned(), "Type": ["Notification"]}, {**unsigned(), "Type": None},
    {**unsigned(), "Type": "Notification\n"}, {**unsigned(), "Type": {"Notification": 1}},
)  # fmt: skip


def sns_forgeries() -> Iterator[tuple[str, Door, Any]]:
    """(what, the door it comes to, the message). All but the lie is right, and signed by the key of the door's certificate."""
    for url in CERTIFICATE_URLS:
        yield f"certificate at {url!r}", Door(), signed(unsigned(SigningCertURL=url))
    for topic in TOPICS:
        yield f"topic {topic!r}", Door(), signed(unsigned(TopicArn=topic))
        yield f"subscription of {topic!r}", Door(), signed(unsigned("SubscriptionConfirmation", TopicArn=topic))
    for time in TIMES:
        yield f"time {time!r}", Door(), signed(unsigned(Timestamp=time))
    for version in ("1", "3", "", "2 ", "02", "two"):
        yield f"version {version!r}", Door(), signed(unsigned(SignatureVersion=version))
    yield "SHA-1 said to be version 2", Door(), signed(unsigned(), digest=hashes.SHA1())
    yield "SHA-1 as version 1", Door(), signed(unsigned(SignatureVersion="1"), digest=hashes.SHA1())
    yield "SHA-512", Door(), signed(unsigned(), digest=hashes.SHA512())
    yield "PSS", Door(), signed(unsigned(), pad=padding.PSS(padding.MGF1(hashes.SHA256()), 32))
    yield "another key", Door(), signed(unsigned(), "other")
    yield "another certificate", Door(pem=certificate("other")), signed(unsigned())
    yield "not Amazon's name", Door(pem=certificate(common_name="sns.evil.example")), signed(unsigned())
    yield "nearly Amazon's name", Door(pem=certificate(common_name="sns.amazonaws.com.evil.example")), signed(unsigned())
    yield "a short key", Door(pem=certificate("weak")), signed(unsigned(), "weak")
    yield "an outdated certificate", Door(pem=certificate(days=-1, begins=-9)), signed(unsigned())
    yield "a certificate of the future", Door(pem=certificate(begins=1)), signed(unsigned())
    for number, pem in enumerate((b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x00" * 40)):
        yield f"no certificate {number}", Door(pem=pem), signed(unsigned())
    for name in ("Message", "MessageId", "Subject", "Timestamp"):
        other = "2026-08-05T11:59:31.123Z" if name == "Timestamp" else "changed"
        yield f"{name} changed after signing", Door(), {**signed(unsigned()), name: other}
        yield f"{name} of another type", Door(), {**signed(unsigned()), name: 7}
        yield f"{name} taken out", Door(), {key: value for key, value in signed(unsigned()).items() if key != name}
    for name in ("Token", "SubscribeURL", "Message"):
        asked = signed(unsigned("SubscriptionConfirmation"))
        yield f"subscription with {name} changed", Door(), {**asked, name: "https://evil.example"}
        yield f"subscription with {name} of another type", Door(), {**asked, name: {"$": 1}}
        yield f"subscription without {name}", Door(), {key: value for key, value in asked.items() if key != name}
    for name in ("Signature", "SignatureVersion", "SigningCertURL", "TopicArn"):
        values: tuple[Any, ...] = (None, 2, True, [], {}, ["2"])
        for value in values:
            yield f"{name} {value!r}", Door(), {**signed(unsigned()), name: value}
    good = signed(unsigned())["Signature"]
    for number, signature in enumerate(
        ("", "====", "AAAA", good[:-4], good + "AAAA", f" {good}", good.replace("A", "!"), good[::-1])
    ):
        yield f"signature {number}", Door(), {**signed(unsigned()), "Signature": signature}
    for number, raw in enumerate((b"\x00" * 256, b"\xff" * 256, b"\x00" * 255 + b"\x01", _cube_root_like())):
        yield f"signature of bytes {number}", Door(), {**unsigned(), "Signature": base64.b64encode(raw).decode()}
    yield (
        "a notification's signature on a subscription",
        Door(),
        {
            **unsigned("SubscriptionConfirmation"),
            "Signature": good,
        },
    )
    yield "a subject moved into the message", Door(), _moved()
    yield "a lone surrogate", Door(), json.dumps({**signed(unsigned()), "Message": "\ud800"}).encode()
    yield "no topic allowed", Door(topics=frozenset()), signed(unsigned())
    for number, body in enumerate(NOT_MESSAGES):
        yield f"no message {number}", Door(), body


def _cube_root_like() -> bytes:
    """A block that begins as PKCS #1 v1.5 does, with rubbish behind the digest (Bleichenbacher 2006)."""
    return b"\x00\x01\xff\x00" + bytes(252)


def _moved() -> dict[str, Any]:
    """Fields run together so that the signed text reads alike: a line break inside a value."""
    message = signed(unsigned(Message="a", Subject="s"))
    moved = {**message, "Message": f"a\nMessageId\n{message['MessageId']}\nSubject\ns"}
    del moved["Subject"]
    return moved


SNS = list(sns_forgeries())


@pytest.mark.parametrize(("door", "message"), [(door, message) for _, door, message in SNS], ids=[name for name, *_ in SNS])
def test_a_forged_message_is_turned_away(door: Door, message: Any) -> None:
    with pytest.raises(RegularsError) as refused:
        door.post(message)
    assert refused.value.code in {"forged", "not_sns", "invalid_json", "invalid_utf8"}
    assert door.untouched
    assert set(door.fetched) <= {CERTIFICATE_URL}


@pytest.mark.parametrize("lie", ["message-type", "message-id", "topic-arn"])
def test_headers_that_differ_from_the_body_are_a_lie(lie: str) -> None:
    door = Door()
    with pytest.raises(Unauthorised):
        door.post(signed(unsigned()), {f"x-amz-sns-{lie}": "other"})
    assert door.untouched
    assert door.fetched == []


def test_only_amazons_own_address_is_ever_fetched() -> None:
    """Everything that can be seen to be wrong without the certificate is refused without it."""
    for name, door, _ in SNS:
        if name.startswith(("certificate at", "topic", "subscription of", "time", "version", "no message", "no topic")):
            assert door.fetched == [], name


def token_forgeries(purpose: Purpose, *parts: str) -> list[str]:
    """Tokens that look like one of ours for `parts` and are not: another purpose, key, time, spelling, or damaged."""
    good = signer().sign(purpose, *parts, lifetime=timedelta(days=1))
    raw = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
    others = [signer().sign(other, *parts, lifetime=timedelta(days=1)) for other in Purpose if other is not purpose]
    foreign = Signer(Keys.parse("x" * 48), lambda: SIGNED_AT).sign(purpose, *parts, lifetime=timedelta(days=1))
    stale = signer().sign(purpose, *parts, lifetime=timedelta(days=-1))
    flipped = [bytes(byte ^ (1 if place == at else 0) for place, byte in enumerate(raw)) for at in range(0, len(raw), 3)]
    cut = [raw[:-1], raw[1:], raw + b"\x00", raw[:7], raw[:7] + raw[-16:], raw[:-16] + bytes(16), b""]
    jwt = [
        base64.urlsafe_b64encode(json.dumps({"alg": alg, "typ": "JWT"}).encode()).decode().rstrip("=")
        + "."
        + base64.urlsafe_b64encode(json.dumps({"sub": parts[0], "exp": 4_000_000_000}).encode()).decode().rstrip("=")
        + "."
        + mac
        for alg, mac in (("none", ""), ("HS256", "AAAA"), ("RS256", good), ("None", ""), ("ES256", "AA"))
    ]
    spelled = [
        good + "=",
        good + " ",
        " " + good,
        good + "\n",
        good.replace("-", "+").replace("_", "/") + "==",
        good.swapcase(),
    ]
    words = ["", "null", "undefined", "../..", "%00", good + good, good + "/" + good, "é" * 20, "A" * 5000]
    encoded = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*flipped, *cut)]
    return [one for one in (*others, foreign, stale, *encoded, *jwt, *spelled, *words) if one != good]


CLICKS = token_forgeries(Purpose.CLICK, *KEY, "1")
UNSUBSCRIBES = token_forgeries(Purpose.UNSUBSCRIBE, *KEY, "email")
SHOPPERS = token_forgeries(Purpose.SHOPPER, SHOPPER)


def test_a_forged_click_never_redirects() -> None:
    site = Site()
    for forged in CLICKS:
        for method in ("GET", "HEAD"):
            reply = site.ask(f"{method} /l/c/{{token}}", forged)
            assert (reply.status, "Location" in reply.headers) == (404, False), forged
    assert site.told() == []


def test_a_forged_one_click_changes_nothing() -> None:
    site = Site()
    before = site.contacts.load(SHOPPER)
    for forged in UNSUBSCRIBES:
        assert site.ask("POST /l/u/{token}", forged, ONE_CLICK).status == 404, forged
    assert site.contacts.load(SHOPPER) == before
    assert site.told() == []


def test_a_forged_shoppers_token_names_nobody() -> None:
    for forged in SHOPPERS:
        with pytest.raises(Unauthorised):
            signer().shopper(forged)


def test_there_are_enough_of_them() -> None:
    tokens = len(CLICKS) + len(UNSUBSCRIBES) + len(SHOPPERS)
    print(f"{len(SNS)} SNS messages, {tokens} tokens")
    assert len(SNS) >= 150
    assert tokens >= 140


ALLOWED = "shop.example"


def test_five_thousand_fuzzed_links_never_leave_the_shop() -> None:
    """Destinations and tokens of every shape: a redirect leads to an allowed host by https, or there is none."""
    from urllib.parse import urlsplit

    from tests.support.sending import content, planned

    dice, site, redirects = random.Random(20260805), Site(), 0
    good = "https://shop.example/items/mug"
    pieces = ("https://", "http://", "//", "javascript:", "shop.example", "evil.example", "@", ":", "/", "\\", "?", "#", "%2f",
              "%40", ".", "\t", "\r\n", " ", "a", "xn--", "[::1]", "。", "ｅvil", "user:pw@", ":443", "..",
              "&", "=")  # fmt: skip
    for number in range(5000):
        kind = number % 4
        if kind == 0:
            url = "".join(dice.choice(pieces) for _ in range(dice.randint(1, 9)))
        elif kind == 1:
            place = dice.randrange(len(good))
            url = good[:place] + dice.choice(pieces) + good[place:]
        elif kind == 2:
            url = dice.choice((good, good + "?x=1", "https://shop.example", "https://shop.example:443/x"))
        else:
            url = "https://" + "".join(
                chr(dice.choice((dice.randrange(33, 127), dice.randrange(0x80, 0x3000)))) for _ in range(14)
            )
        moment = f"welcome#{number}"
        site.ledger.record(planned("welcome", moment_id=moment, content=content(url=url, items=()).to_wire()))
        token = link_maker().click(SHOPPER, moment, 0).rsplit("/", 1)[1]
        if kind == 3 and number % 8 == 3:
            place = dice.randrange(len(token))
            token = token[:place] + dice.choice("Aa0_-/.%") + token[place + 1 :]
        reply = site.ask("GET /l/c/{token}", token)
        if "Location" in reply.headers:
            parts = urlsplit(reply.headers["Location"])
            assert (parts.scheme, parts.hostname, parts.username) == ("https", ALLOWED, None), url
            assert url == reply.headers["Location"]
            redirects += 1
        else:
            assert reply.status == 404
    assert 1000 < redirects < 2500


def test_a_token_is_bound_to_its_purpose_message_link_and_end() -> None:
    clock = Hand()
    made = signer(clock).sign(Purpose.CLICK, *KEY, "1", lifetime=timedelta(hours=1))
    assert signer(clock).read(Purpose.CLICK, made) == (*KEY, "1")
    assert made != signer(clock).sign(Purpose.CLICK, *KEY, "2", lifetime=timedelta(hours=1))
    clock.pass_(hours=1)
    with pytest.raises(Unauthorised, match="expired"):
        signer(clock).read(Purpose.CLICK, made)
