"""What goes over the wire to a provider, and what its answers mean."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as vendor
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session
from tests.support.sending import ADDRESSES, BASE_URL, NOW, SETTINGS, SHOPPER, link_maker, planned

from regulars.adapters.channels.inbox import InboxProvider
from regulars.adapters.channels.outcomes import outcome_of
from regulars.adapters.channels.ses import SesEmail, mime
from regulars.adapters.channels.sms_voice import SmsVoice
from regulars.adapters.channels.sns_push import SnsPush, payload
from regulars.adapters.memory.channels import MemoryInbox
from regulars.channels.ports import Accepted, Ambiguous, Email, Envelope, Later, Outcome, Popup, Provider, Push, Refused, Sms
from regulars.channels.rendering import Renderer
from regulars.errors import TryLater
from regulars.ids import message_id
from regulars_local import outbox
from regulars_local.sms_stub import Kept, answer


def envelope(channel: str, kind: str = "cart_abandoned", **content: Any) -> Envelope:
    message = planned(kind, channel, **content)
    transactional = kind == "order_update"
    return Envelope(
        message_id=message_id(message.shopper, message.moment_id),
        shopper=message.shopper,
        moment_id=message.moment_id,
        kind=kind,
        channel=channel,
        address=message.address,
        transactional=transactional,
        expires_at=message.expires_at,
        rendered=Renderer(SETTINGS, link_maker()).render(message, transactional=transactional),
    )


def mail(kind: str = "cart_abandoned") -> tuple[bytes, EmailMessage]:
    sent = envelope("email", kind)
    assert isinstance(sent.rendered, Email)
    raw = mime(sent, sent.rendered, "shop@example.com")
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return raw, parsed


def test_marketing_carries_the_one_click_headers_of_rfc_8058() -> None:
    raw, parsed = mail()
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    (unsubscribe,) = [line for line in head if line.startswith("List-Unsubscribe:")]
    assert unsubscribe.startswith(f"List-Unsubscribe: <{BASE_URL}/l/u/"), "one line, neither folded nor encoded"
    assert unsubscribe.endswith(">")
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert parsed["List-Unsubscribe"].strip("<>") in parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_long_unsubscribe_link_is_neither_folded_nor_encoded() -> None:
    sent = envelope("email")
    assert isinstance(sent.rendered, Email)
    long = "https://links.example/l/u/" + "A" * 600
    rendered = Email(subject="s", html="h", text="t", sender_name="n", unsubscribe_url=long)
    assert f"\r\nList-Unsubscribe: <{long}>\r\n".encode() in mime(sent, rendered, "shop@example.com")


def test_an_order_update_carries_none() -> None:
    assert b"List-Unsubscribe" not in mail("order_update")[0]


def test_a_mail_has_a_text_and_an_html_part_and_short_lines() -> None:
    raw, parsed = mail()
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert "Mug <b>& Co</b>" in parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "<html" in parsed.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert parsed["To"] == "ann@example.com"


def test_a_header_cannot_be_forged_through_a_subject() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        mime(envelope("email"), Email(subject="a\r\nBcc: x@y", html="", text="", sender_name="n"), "shop@example.com")


def client(service: str, handle: Callable[[Any], AWSResponse | Exception]) -> Callable[[], Any]:
    """A real SDK client whose requests `handle` answers in the place of the network."""
    session = Session()
    session.set_credentials("testing", "testing")
    made = session.create_client(service, region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}))

    def before_send(request: Any, **_: Any) -> AWSResponse:
        outcome = handle(request)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    made.meta.events.register("before-send", before_send)
    return lambda: made


class Body:
    """A response's body as urllib3 has it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._data

    def read(self) -> bytes:
        return self._data


def response(status: int, body: str, kind: str = "application/json") -> AWSResponse:
    return AWSResponse("https://aws", status, {"Content-Type": kind}, Body(body.encode()))


def ses(handle: Callable[[Any], AWSResponse | Exception]) -> SesEmail:
    return SesEmail(client("sesv2", handle), sender="shop@example.com", configuration_set="regulars")


def test_ses_gets_tags_configuration_set_and_sender() -> None:
    seen: list[dict[str, Any]] = []

    def handle(request: Any) -> AWSResponse:
        seen.append(json.loads(request.body))
        return response(200, '{"MessageId": "ses-1"}')

    sent = envelope("email")
    assert ses(handle).send(sent) == Accepted("ses-1")
    (request,) = seen
    assert {"Name": "message_id", "Value": sent.message_id} in request["EmailTags"]
    assert request["ConfigurationSetName"] == "regulars"
    assert request["FromEmailAddress"] == "Gift Shop <shop@example.com>"
    assert request["Destination"] == {"ToAddresses": ["ann@example.com"]}


SES_ERRORS: list[tuple[int, str, Outcome]] = [
    (400, "MessageRejected", Refused("message_rejected")),
    (400, "MailFromDomainNotVerifiedException", Refused("sender_not_verified")),
    (400, "BadRequestException", Refused("bad_request")),
    (429, "TooManyRequestsException", Later("TooManyRequestsException")),
    (400, "LimitExceededException", Later("LimitExceededException")),
    (400, "SendingPausedException", Later("SendingPausedException")),
    (400, "AccountSuspendedException", Later("AccountSuspendedException")),
    (403, "AccessDeniedException", Later("AccessDeniedException")),
    (500, "InternalFailure", Ambiguous("InternalFailure")),
    (503, "ServiceUnavailable", Ambiguous("ServiceUnavailable")),
    (400, "SomethingNew", Refused("SomethingNew")),
]


@pytest.mark.parametrize(("status", "code", "outcome"), SES_ERRORS)
def test_what_ses_answers(status: int, code: str, outcome: Outcome) -> None:
    def handle(request: Any) -> AWSResponse:
        return response(status, json.dumps({"__type": code, "message": "no"}))

    assert ses(handle).send(envelope("email")) == outcome


BROKEN: list[tuple[Exception, type[Outcome]]] = [
    (vendor.EndpointConnectionError(endpoint_url="x"), Later),
    (vendor.ConnectTimeoutError(endpoint_url="x"), Later),
    (vendor.NoCredentialsError(), Later),
    (vendor.SSLError(endpoint_url="x", error="e"), Later),
    (vendor.ReadTimeoutError(endpoint_url="x"), Ambiguous),
    (vendor.ConnectionClosedError(endpoint_url="x"), Ambiguous),
    (vendor.HTTPClientError(error="e"), Ambiguous),
    (vendor.ResponseStreamingError(error="e"), Ambiguous),
    (KeyError("MessageId"), Ambiguous),
    (vendor.ParamValidationError(report="r"), Refused),
]


@pytest.mark.parametrize(("error", "kind"), BROKEN, ids=lambda value: getattr(value, "__name__", type(value).__name__))
def test_where_a_connection_broke_says_whether_anything_was_sent(error: Exception, kind: type[Outcome]) -> None:
    assert isinstance(outcome_of(error, {}), kind)


def test_the_deployed_clients_never_retry_by_themselves(aws: None) -> None:
    from regulars.adapters.aws import send_once_client

    for service in ("sesv2", "sns", "pinpoint-sms-voice-v2"):
        assert send_once_client(service).meta.config.retries["total_max_attempts"] == 1


def test_a_push_speaks_to_every_platform() -> None:
    sent = envelope("push")
    assert isinstance(sent.rendered, Push)
    said = json.loads(payload(sent, sent.rendered))
    fcm = json.loads(said["GCM"])["fcmV1Message"]["message"]
    assert fcm["notification"]["image"] == "https://shop.example/images/mug.jpg"
    assert fcm["data"]["message_id"] == sent.message_id
    assert fcm["data"]["url"].startswith(f"{BASE_URL}/l/c/")
    apns = json.loads(said["APNS"])
    assert apns["aps"]["alert"] == {"title": sent.rendered.title, "body": sent.rendered.body}
    assert len(said["APNS"].encode()) < 4096
    assert said["default"] == sent.rendered.body


def test_a_push_token_that_is_no_endpoint_is_dead() -> None:
    sent = envelope("push", address="some-fcm-token")
    assert SnsPush(lambda: None).send(sent) == Refused("not_an_endpoint", address_dead=True)


def test_sms_without_an_origination_identity_is_refused() -> None:
    provider = SmsVoice(lambda: None, origination_identity="", configuration_set="")
    assert provider.send(envelope("sms")) == Refused("sms_not_set_up")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"__type": "ThrottlingException"}, Later("ThrottlingException")),
        ({"__type": "ConflictException", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}, Refused("number_opted_out", True)),
        ({"__type": "ConflictException", "Reason": "NUMBER_CAPABILITIES_MISMATCH"}, Refused("conflict")),
        ({"__type": "ResourceNotFoundException"}, Refused("origination_missing")),
        ({"__type": "ServiceQuotaExceededException"}, Later("ServiceQuotaExceededException")),
        ({"__type": "ValidationException", "Reason": "OTHER"}, Refused("ValidationException")),
    ],
)
def test_what_sms_answers(body: dict[str, Any], outcome: Outcome) -> None:
    made = client("pinpoint-sms-voice-v2", lambda request: response(400, json.dumps(body)))
    provider = SmsVoice(made, origination_identity="SHOP", configuration_set="regulars")
    assert provider.send(envelope("sms")) == outcome


@pytest.mark.parametrize("provider", [SesEmail(lambda: None, sender="", configuration_set=""), SnsPush(lambda: None)])
def test_a_provider_refuses_what_is_not_its_kind(provider: Provider) -> None:
    sent = envelope("inapp")
    assert isinstance(provider.send(sent), Refused)


def test_the_inbox_is_a_provider_whose_tries_may_be_repeated() -> None:
    inbox = MemoryInbox()
    provider = InboxProvider(inbox, lambda: NOW, timedelta(days=90))
    sent = envelope("inapp")
    assert provider.send(sent) == provider.send(sent) == Accepted(sent.message_id)
    (entry,) = inbox.list(SHOPPER, NOW, 10)
    assert isinstance(sent.rendered, Popup)
    assert entry.content["title"] == sent.rendered.title
    assert entry.expires_at == NOW + timedelta(days=90)


def test_a_throttled_inbox_is_tried_later() -> None:
    class Throttled(MemoryInbox):
        def put(self, entry: Any) -> None:
            raise TryLater("throttled", code="throttled")

    assert InboxProvider(Throttled(), lambda: NOW, timedelta(days=1)).send(envelope("inapp")) == Later("throttled")


def stub(directory: Path) -> Callable[[Any], AWSResponse]:
    kept = Kept(directory)

    def handle(request: Any) -> AWSResponse:
        target = request.headers.get("X-Amz-Target", b"")
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        status, kind, text = answer(kept, target.decode() if isinstance(target, bytes) else target, body)
        return response(status, text, kind)

    return handle


def test_the_stub_takes_sms_and_push_of_an_unmodified_sdk_and_the_outbox_lists_them(tmp_path: Path) -> None:
    handle = stub(tmp_path)
    sms = SmsVoice(client("pinpoint-sms-voice-v2", handle), origination_identity="SHOP", configuration_set="")
    push = SnsPush(client("sns", handle))
    texted, pushed = envelope("sms"), envelope("push")
    assert isinstance(sms.send(texted), Accepted)
    assert isinstance(push.send(pushed), Accepted)
    assert sms.send(envelope("sms", address="nobody")) == Refused("bad_number", address_dead=True)
    disabled = ADDRESSES["push"] + "-disabled"
    assert push.send(envelope("push", address=disabled)) == Refused("endpoint_disabled", address_dead=True)
    (text,), (note,) = list(outbox.texts(tmp_path)), list(outbox.pushes(tmp_path))
    assert isinstance(texted.rendered, Sms)
    assert (text.text, text.to, text.shopper, text.kind) == (
        texted.rendered.text,
        ADDRESSES["sms"],
        SHOPPER,
        "cart_abandoned",
    )
    assert (note.subject, note.image_url) == ("Your basket is waiting", "https://shop.example/images/mug.jpg")
    assert note.message_id == pushed.message_id


def test_the_outbox_names_a_mail_by_its_own_links(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import io

    sent = envelope("email")
    assert isinstance(sent.rendered, Email)
    kept = {
        "MessageId": "m1@email.amazonses.com",
        "To": ["ann@example.com"],
        "Subject": sent.rendered.subject,
        "BodyText": sent.rendered.text,
        "BodyHtml": sent.rendered.html,
        "Timestamp": NOW.timestamp(),
    }
    strange = {**kept, "MessageId": "m2", "BodyHtml": '<img src="/l/o/AAAA">', "BodyText": None}
    answered = json.dumps({"messages": {"000000000000": [strange, kept]}}).encode()
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO(answered))
    other, mine = outbox.sent("http://local", tmp_path)
    assert (mine.shopper, mine.kind, mine.message_id) == (SHOPPER, "cart_abandoned", sent.message_id)
    assert mine.html == sent.rendered.html
    assert (other.shopper, other.message_id) == ("", "")
