"""Provider events in the shapes AWS documents, and the SNS envelope the subscription wraps them in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TOPIC = "arn:aws:sns:eu-west-1:123456789012:regulars-feedback"
MAIL_TIME = "2026-08-05T00:40:02.012Z"
DEED_TIME = "2026-08-05T00:41:02.669Z"
DEED_MS = 1785890462669


def wrapped(event: Any, *, topic: str = TOPIC, message_id: str = "da41e39f-ea4d-435a-b922-c6aae3915ebe", **other: Any) -> str:
    """The queue body of a notification ("Amazon SNS message format for HTTP/S and SQS")."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": topic,
            "Subject": "Amazon SES Email Event Notification",
            "Message": event if isinstance(event, str) else json.dumps(event),
            "Timestamp": "2026-08-05T00:41:03.000Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNKWLQjwu6A4VbeS0QHVCkhRS7fUQvi2egU3N858fiTDN6bkkOxYD=",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem",
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=example",
            **other,
        }
    )


def mail(message_id: str = "", *, tags: bool = True, to: str = "recipient@example.com") -> dict[str, Any]:
    """The `mail` object; identity notifications have none of `tags`."""
    found: dict[str, Any] = {
        "timestamp": MAIL_TIME,
        "source": "Sender Name <sender@example.com>",
        "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/sender@example.com",
        "sendingAccountId": "123456789012",
        "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
        "destination": [to],
        "headersTruncated": False,
        "headers": [{"name": "From", "value": "Sender Name <sender@example.com>"}, {"name": "To", "value": to}],
        "commonHeaders": {"from": ["Sender Name <sender@example.com>"], "to": [to], "subject": "Your cart"},
    }
    if tags:
        found["tags"] = {
            "ses:configuration-set": ["regulars"],
            "ses:source-ip": ["192.0.2.0"],
            "ses:from-domain": ["example.com"],
            **({"message_id": [message_id]} if message_id else {}),
        }
    return found


def bounce(
    message_id: str = "", *, kind: str = "Permanent", subtype: str = "General", to: str = "recipient@example.com"
) -> dict[str, Any]:
    return {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": subtype,
            "bouncedRecipients": [
                {"emailAddress": to, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
            ],
            "timestamp": DEED_TIME,
            "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            "reportingMTA": "dsn; mta.example.com",
        },
        "mail": mail(message_id, to=to),
    }


def complaint(message_id: str = "", *, to: str = "recipient@example.com") -> dict[str, Any]:
    return {
        "eventType": "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": to}],
            "timestamp": DEED_TIME,
            "feedbackId": "01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
            "complaintFeedbackType": "abuse",
            "arrivalDate": DEED_TIME,
        },
        "mail": mail(message_id, to=to),
    }


def identity_notification(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same news without event publishing: other name of the kind, no tags."""
    found = {key: value for key, value in event.items() if key != "eventType"}
    return {**found, "notificationType": event["eventType"], "mail": mail(tags=False, to=event["mail"]["destination"][0])}


def delivery(message_id: str = "") -> dict[str, Any]:
    return {
        "eventType": "Delivery",
        "mail": mail(message_id),
        "delivery": {
            "timestamp": DEED_TIME,
            "processingTimeMillis": 11893,
            "recipients": ["recipient@example.com"],
            "smtpResponse": "250 2.6.0 Message received",
            "reportingMTA": "mta.example.com",
        },
    }


def ses(kind: str, field: str, body: Mapping[str, Any], message_id: str = "") -> dict[str, Any]:
    """Any other SES event."""
    return {"eventType": kind, "mail": mail(message_id), field: dict(body)}


def opened(message_id: str = "", agent: str = "Mozilla/5.0 (iPhone; CPU iPhone OS 10_3_3 like Mac OS X)") -> dict[str, Any]:
    return ses("Open", "open", {"ipAddress": "192.0.2.1", "timestamp": DEED_TIME, "userAgent": agent}, message_id)


def clicked(message_id: str = "", agent: str = "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0") -> dict[str, Any]:
    body = {
        "ipAddress": "192.0.2.1",
        "link": "https://shop.example/p/1",
        "linkTags": None,
        "timestamp": DEED_TIME,
        "userAgent": agent,
    }
    return ses("Click", "click", body, message_id)


def subscription(**preferences: Any) -> dict[str, Any]:
    body = {
        "contactList": "ContactListName",
        "timestamp": DEED_TIME,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": preferences,
        "oldTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": []},
    }
    return ses("Subscription", "subscription", body)


def push_failure(failure: str = "EndpointDisabled", kind: str = "DeliveryFailure") -> dict[str, Any]:
    return {
        "DeliveryAttempts": 1,
        "EndpointArn": "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/shop/3f08fd15-d349-3d82-b415-49df9ff9d8dd",
        "EventType": kind,
        "FailureMessage": "Endpoint is disabled",
        "FailureType": failure,
        "MessageId": "4e658b3c-8738-5a67-a13b-d86089f45074",
        "Resource": "arn:aws:sns:eu-west-1:123456789012:app/GCM/shop",
        "Service": "SNS",
        "Time": DEED_TIME,
    }


def sms(kind: str = "TEXT_DELIVERED", message_id: str = "") -> dict[str, Any]:
    status = kind.removeprefix("TEXT_")
    return {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": DEED_MS,
        "isFinal": True,
        "originationPhoneNumber": "+12065550152",
        "destinationPhoneNumber": "+14255550156",
        "isInternationalSend": False,
        "mcc": "310",
        "mnc": "800",
        "messageId": "862a8790-60c0-4430-9b2b-658bdexample",
        "messageRequestTimestamp": DEED_MS - 300,
        "messageEncoding": "GSM",
        "messageType": "PROMOTIONAL",
        "messageStatus": status,
        "messageStatusDescription": "Message has been accepted by phone carrier",
        "context": {"message_id": message_id} if message_id else {},
        "totalMessageParts": 1,
        "totalMessagePrice": 0.09582,
        "totalCarrierFee": 0.0,
    }


def reply(text: str) -> dict[str, Any]:
    return {
        "originationNumber": "+14255550182",
        "destinationNumber": "+12125550101",
        "messageKeyword": "JOIN",
        "messageBody": text,
        "inboundMessageId": "cae173d2-66b9-564c-8309-21f858e9fb84",
        "previousPublishedMessageId": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
