"""E-mail through SES v2.

Raw MIME, built by the standard library: the bytes are ours, so a test can prove the RFC 8058 headers, and any other
provider could carry them. `EmailTags` bring the ledger's message id back in every SES event.
"""

from __future__ import annotations

from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.utils import formataddr
from typing import Any

from regulars.adapters.channels.outcomes import outcome_of
from regulars.channels.ports import Accepted, Email, Envelope, Outcome, Refused

_POLICY = policy.SMTP.clone(max_line_length=998)
"""The standard library folds a long link at 78 characters into RFC 2047 words, which no mail provider reads in
List-Unsubscribe; 998 is what RFC 5322 allows."""

_REFUSALS = {
    "MessageRejected": Refused("message_rejected"),
    "BadRequestException": Refused("bad_request"),
    "MailFromDomainNotVerifiedException": Refused("sender_not_verified"),
    "NotFoundException": Refused("configuration_set_missing"),
}


class SesEmail:
    """`client` gives botocore's sesv2, without retries of its own, opened by the first send."""

    def __init__(self, client: Callable[[], Any], *, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, envelope: Envelope) -> Outcome:
        """One SendEmail. Pauses of the account come as `Later`: an operator lifts them and the queue brings the message."""
        email = envelope.rendered
        if not isinstance(email, Email):
            return Refused("not_an_email")
        request: dict[str, Any] = {
            "FromEmailAddress": formataddr((email.sender_name, self._sender)),
            "Destination": {"ToAddresses": [envelope.address]},
            "Content": {"Raw": {"Data": mime(envelope, email, self._sender)}},
            "EmailTags": [{"Name": "message_id", "Value": envelope.message_id}, {"Name": "kind", "Value": envelope.kind}],
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            answer = self._client().send_email(**request)
        except Exception as error:
            return outcome_of(error, _REFUSALS)
        return Accepted(str(answer["MessageId"]))


def mime(envelope: Envelope, email: Email, sender: str) -> bytes:
    """The message as RFC 5322 bytes: text part first, then HTML; one-click headers on marketing (RFC 8058, RFC 2369)."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = formataddr((email.sender_name, sender))
    message["To"] = envelope.address
    message["Subject"] = email.subject
    if email.reply_to:
        message["Reply-To"] = email.reply_to
    if email.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{email.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(email.text, cte="base64")
    message.add_alternative(email.html, subtype="html", cte="base64")
    return message.as_bytes()
