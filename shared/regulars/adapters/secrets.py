"""Secrets Manager, read once per process."""

from __future__ import annotations

from functools import cache

from regulars.adapters.aws import client
from regulars.errors import Misconfigured, TryLater


@cache
def secret(arn: str) -> str:
    """The text of the secret; raises Misconfigured when we may not have it, TryLater when it cannot be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = client("secretsmanager").get_secret_value(SecretId=arn)
    except ClientError as error:
        raise Misconfigured(f"signing secret: {error.response.get('Error', {}).get('Code', '')}") from error
    except BotoCoreError as error:
        raise TryLater(f"Secrets Manager unreachable: {type(error).__name__}", code="unreachable") from error
    text: str = answer.get("SecretString", "")
    if not text:
        raise Misconfigured("signing secret: empty")
    return text
