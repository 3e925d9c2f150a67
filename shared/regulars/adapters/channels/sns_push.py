"""Push through SNS: the shopper's push address is the ARN of her platform endpoint (FCM or APNs behind it).

One publish carries the message for every platform (`MessageStructure: json`); SNS picks the one of the endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from regulars.adapters.channels.outcomes import outcome_of
from regulars.channels.ports import Accepted, Envelope, Outcome, Push, Refused

_REFUSALS = {
    "EndpointDisabled": Refused("endpoint_disabled", address_dead=True),
    "EndpointDisabledException": Refused("endpoint_disabled", address_dead=True),
    "NotFound": Refused("endpoint_missing", address_dead=True),
    "NotFoundException": Refused("endpoint_missing", address_dead=True),
    "InvalidParameter": Refused("bad_request"),
    "PlatformApplicationDisabled": Refused("platform_disabled"),
}


class SnsPush:
    """`client` gives botocore's sns, without retries of its own, opened by the first send."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def send(self, envelope: Envelope) -> Outcome:
        """One Publish to the endpoint; an address that is no endpoint's ARN is refused as dead."""
        push = envelope.rendered
        if not isinstance(push, Push):
            return Refused("not_a_push")
        if ":endpoint/" not in envelope.address:
            return Refused("not_an_endpoint", address_dead=True)
        try:
            answer = self._client().publish(
                TargetArn=envelope.address, MessageStructure="json", Message=payload(envelope, push)
            )
        except Exception as error:
            return outcome_of(error, _REFUSALS)
        return Accepted(str(answer["MessageId"]))


def payload(envelope: Envelope, push: Push) -> str:
    """The message for each platform (SNS guide, "Using Firebase Cloud Messaging v1 payloads"; Apple, "Generating a remote
    notification"). `mutable-content` lets the app's service extension fetch the picture."""
    data = {"message_id": envelope.message_id, "url": push.url, "kind": envelope.kind}
    notification = {"title": push.title, "body": push.body}
    if push.image_url:
        notification["image"] = push.image_url
    fcm = {"fcmV1Message": {"message": {"notification": notification, "data": data}}}
    alert = {"alert": {"title": push.title, "body": push.body}, "sound": "default", "mutable-content": 1}
    apns = {"aps": alert, **data, **({"image_url": push.image_url} if push.image_url else {})}
    bodies = {"default": push.body, "GCM": fcm, "APNS": apns, "APNS_SANDBOX": apns}
    texts = {key: body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) for key, body in bodies.items()}
    return json.dumps(texts, ensure_ascii=False)
