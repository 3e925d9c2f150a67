"""SMS through AWS End User Messaging (API `pinpoint-sms-voice-v2`, which stays when Pinpoint goes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regulars.adapters.channels.outcomes import outcome_of
from regulars.channels.ports import Accepted, Envelope, Outcome, Refused, Sms

_REFUSALS = {
    "ResourceNotFoundException": Refused("origination_missing"),
    "ConflictException": Refused("conflict"),
}
_OPTED_OUT = "DESTINATION_PHONE_NUMBER_OPTED_OUT"


class SmsVoice:
    """`client` gives botocore's pinpoint-sms-voice-v2, without retries of its own, opened by the first send."""

    def __init__(self, client: Callable[[], Any], *, origination_identity: str, configuration_set: str) -> None:
        self._client = client
        self._origination_identity = origination_identity
        self._configuration_set = configuration_set

    def send(self, envelope: Envelope) -> Outcome:
        """One SendTextMessage; `Context` brings the ledger's message id back in delivery events."""
        sms = envelope.rendered
        if not isinstance(sms, Sms):
            return Refused("not_an_sms")
        if not self._origination_identity:
            return Refused("sms_not_set_up")
        request: dict[str, Any] = {
            "DestinationPhoneNumber": envelope.address,
            "OriginationIdentity": self._origination_identity,
            "MessageBody": sms.text,
            "MessageType": "TRANSACTIONAL" if envelope.transactional else "PROMOTIONAL",
            "Context": {"message_id": envelope.message_id},
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            answer = self._client().send_text_message(**request)
        except Exception as error:
            return _refused_number(error) or outcome_of(error, _REFUSALS)
        return Accepted(str(answer["MessageId"]))


def _refused_number(error: Exception) -> Refused | None:
    """A refusal for the number's own sake: it opted out with the carrier, or is none. None for any other error."""
    response: dict[str, Any] = getattr(error, "response", {})
    if response.get("Reason") == _OPTED_OUT:
        return Refused("number_opted_out", address_dead=True)
    if any(field.get("Name") == "DestinationPhoneNumber" for field in response.get("Fields") or ()):
        return Refused("bad_number", address_dead=True)
    return None
