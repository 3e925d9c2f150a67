"""What a failed call to a provider means: was anything handed over?

botocore tells where a connection broke: before a byte of the request went out (no connection) nothing can have been
sent; after it (time-out while reading, connection closed) the provider may have it, and so may a 5xx.
"""

from __future__ import annotations

from collections.abc import Mapping

from regulars.channels.ports import Ambiguous, Later, Outcome, Refused

_LATER = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "LimitExceededException",
        "ServiceQuotaExceededException",
        "SendingPausedException",
        "AccountSuspendedException",
        "AccessDeniedException",
        "AuthorizationError",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
    }
)
"""Answers that say nothing was taken, and that time or an operator mends."""


def outcome_of(error: Exception, refusals: Mapping[str, Refused]) -> Outcome:
    """The outcome of a call that raised; `refusals` are the provider's own error codes that no retry mends."""
    from botocore import exceptions as vendor

    if isinstance(error, vendor.ClientError):
        return _of_answer(error, refusals)
    if isinstance(error, vendor.ParamValidationError):
        return Refused("bad_request")
    unsent = (vendor.EndpointConnectionError, vendor.ConnectTimeoutError, vendor.NoCredentialsError, vendor.NoRegionError)
    if isinstance(error, (*unsent, vendor.ProxyConnectionError, vendor.SSLError)):
        return Later(f"unreachable:{type(error).__name__}")
    return Ambiguous(type(error).__name__)


def _of_answer(error: object, refusals: Mapping[str, Refused]) -> Outcome:
    response: Mapping[str, Mapping[str, object]] = getattr(error, "response", {})
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)))
    if code in refusals:
        return refusals[code]
    if code in _LATER or status == 429:
        return Later(code)
    if status >= 500:
        return Ambiguous(code or f"http_{status}")
    return Refused(code or f"http_{status}")
