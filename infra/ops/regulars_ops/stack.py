"""A deployed stack, as the operator's command sees it: its functions' own environments and its queues."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from regulars.adapters.aws import client
from regulars.errors import Misconfigured, NotFound, RegularsError

LOCAL_FILE = Path(".local/stack.json")


class FunctionFailed(RegularsError):
    """A function answered with an error; the reason is its own."""

    code = "function_failed"


@dataclass(frozen=True)
class Stack:
    """`name` is the CloudFormation stack's name, also the prefix of its function names."""

    name: str
    api_url: str

    def environment(self, function: str) -> dict[str, str]:
        """The deployed environment variables of one of our functions; raises NotFound when it is not deployed."""
        functions = client("lambda")
        try:
            answer = functions.get_function_configuration(FunctionName=f"{self.name}-{function}")
        except functions.exceptions.ResourceNotFoundException as error:
            raise NotFound(f"no function {self.name}-{function}; is the stack {self.name!r} deployed here?") from error
        variables: dict[str, str] = answer.get("Environment", {}).get("Variables", {})
        return variables

    def invoke(self, function: str, payload: dict[str, Any] | None = None) -> Any:
        """Run a function and wait for its answer; raises FunctionFailed with its own error."""
        answer = client("lambda").invoke(FunctionName=f"{self.name}-{function}", Payload=json.dumps(payload or {}).encode())
        text = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            raise FunctionFailed(f"{function}: {text[:500]}")
        return json.loads(text or "null")

    @cached_property
    def queue_urls(self) -> dict[str, str]:
        """Queue noun → URL, out of the environments of those who write to them."""
        urls: dict[str, str] = {}
        for function in ("collect_events", "fire_timers", "decide_message", "serve_links"):
            for key, value in self.environment(function).items():
                if key.endswith("_QUEUE_URL"):
                    urls[key.removesuffix("_QUEUE_URL").lower()] = value
        return urls

    def dead_letter_url(self, queue: str) -> str:
        """The URL of the queue's dead-letter queue; raises NotFound for an unknown queue."""
        if queue not in self.queue_urls:
            raise NotFound(f"no queue {queue!r}; known: {', '.join(sorted(self.queue_urls))}")
        queues = client("sqs")
        answer = queues.get_queue_attributes(QueueUrl=self.queue_urls[queue], AttributeNames=["RedrivePolicy"])
        arn = json.loads(answer["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
        url: str = queues.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        return url


def connect(name: str | None, *, local_file: Path = LOCAL_FILE) -> Stack:
    """The stack called `name` on AWS, or, without a name, the one that runs on this machine.

    Raises Misconfigured when neither is to be found.
    """
    if name:
        return Stack(name, _api_url(name))
    if not local_file.exists():
        raise Misconfigured("no --stack given and no local stack here; `make up` starts one, `--stack NAME` names one on AWS")
    local = json.loads(local_file.read_text("utf-8"))
    use_local_endpoint(local["endpoint_url"])
    return Stack(local["stack"], local["api_url"])


def use_local_endpoint(endpoint_url: str) -> None:
    """Point every AWS client of this process at the local stack, with its well-known credentials."""
    os.environ["AWS_ENDPOINT_URL"] = endpoint_url
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = "us-east-1"
    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["AWS_SECRET_ACCESS_KEY"] = "test"


def _api_url(name: str) -> str:
    stacks = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs: dict[str, str] = {entry["OutputKey"]: entry["OutputValue"] for entry in stacks[0].get("Outputs", [])}
    return outputs.get("ApiUrl", "")
