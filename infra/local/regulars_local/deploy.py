"""`sam deploy` of the built template to the local stack, and what the stack puts out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import botocore.session

from regulars_local import build, toolchain

REGION = "us-east-1"
ARTIFACTS = "deployment-artifacts"
API_ID = "5ec0ffee"  # pinned through a tag that only MiniStack knows, so that links can be written before the API exists
_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


def credentials(endpoint_url: str) -> dict[str, str]:
    """Environment that points any AWS SDK at the local stack."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def client(service: str, endpoint_url: str) -> Any:
    """A botocore client of the local stack."""
    return botocore.session.Session().create_client(
        service, REGION, endpoint_url=endpoint_url, aws_access_key_id="test", aws_secret_access_key="test"
    )


def deploy(name: str, endpoint_url: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the built template as stack `name`; its outputs. Raises RuntimeError with the events of a failure."""
    client("s3", endpoint_url).create_bucket(Bucket=ARTIFACTS)
    command = [
        str(toolchain.sam()),
        "deploy",
        "--template-file",
        str(build.LOCAL_BUILD / "template.yaml"),
        "--stack-name",
        name,
    ]
    command += ["--s3-bucket", ARTIFACTS, "--region", REGION, "--no-confirm-changeset", "--no-fail-on-empty-changeset"]
    command += ["--no-progressbar", "--on-failure", "ROLLBACK", "--tags", f"ms-custom-id={API_ID}"]
    command += ["--capabilities", *_CAPABILITIES]
    command += ["--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())]
    environment = {**_without_profile(), **credentials(endpoint_url), "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "1"}
    build.run(command, environment)
    verify_sender(parameters["EmailSender"], endpoint_url)
    return outputs(name, endpoint_url)


def verify_sender(sender: str, endpoint_url: str) -> None:
    """What the shop does once in the console: SES sends only for identities it has verified."""
    service = client("sesv2", endpoint_url)
    with contextlib.suppress(service.exceptions.AlreadyExistsException):
        service.create_email_identity(EmailIdentity=sender)


def outputs(name: str, endpoint_url: str) -> dict[str, str]:
    """Output key → value of the deployed stack."""
    stacks = client("cloudformation", endpoint_url).describe_stacks(StackName=name)["Stacks"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stacks[0]["Outputs"]}


def _without_profile() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("AWS_") and key != "VIRTUAL_ENV"}
