"""Our own cfn-lint rules: what must hold in every template so that no message is lost and no role can do too much.

E9001  queues       dead-letter queue after >= 5 receives, 14 days of retention, encryption
E9002  mappings     partial failures reported; bounded concurrency on queues; finite retries and a failure queue on streams
E9003  roles        no wildcard action; `*` as resource only with a written waiver for that statement
E9004  no loops     a function never may send to a queue that wakes it (Lambda stops such loops after about 16 hops)
E9005  functions    a role, a log group and an error alarm of its own; traced
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

_FOURTEEN_DAYS = 1_209_600
_FEWEST_RECEIVES = 5
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _properties(resource: dict[str, Any]) -> dict[str, Any]:
    return resource.get("Properties") or {}


def _role_name(function: dict[str, Any]) -> str | None:
    """The logical id in `Role: !GetAtt NAME.Arn`."""
    reference = _properties(function).get("Role")
    target = reference.get("Fn::GetAtt") if isinstance(reference, dict) else None
    return target[0] if isinstance(target, list) else target.split(".")[0] if target else None


def _statements(role: dict[str, Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """(path below Properties, statement) of a role's inline policies, or of a policy attached to one."""
    for index, statement in enumerate(_listed(_properties(role).get("PolicyDocument", {}).get("Statement", []))):
        yield ["PolicyDocument", "Statement", index], statement
    for number, policy in enumerate(_properties(role).get("Policies", [])):
        for index, statement in enumerate(_listed(policy["PolicyDocument"]["Statement"])):
            yield ["Policies", number, "PolicyDocument", "Statement", index], statement


class _Law(CloudFormationLintRule):
    """A law about single resources of `types`: `broken` yields what is wrong and where below the resource."""

    source_url = "https://github.com/regulars/regulars/blob/main/infra/rules/laws.py"
    tags: ClassVar[list[str]] = ["regulars"]
    types: tuple[str, ...] = ()

    def match(self, cfn: Template) -> list[RuleMatch]:
        found = []
        for kind in self.types:
            for name, resource in cfn.get_resources(kind).items():
                for path, complaint in self.broken(name, resource, cfn):
                    found.append(RuleMatch(["Resources", name, *path], f"{name}: {complaint}"))
        return found

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        """What is wrong with one resource."""
        return iter(())


class Queues(_Law):
    """A poison message ends, seen, in a dead-letter queue; nothing waits less than 14 days."""

    id = "E9001"
    shortdesc = "Queues keep what fails"
    description = "A dead-letter queue after at least 5 receives, 14 days of retention, encryption"
    types = ("AWS::SQS::Queue",)

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        properties = _properties(resource)
        if properties.get("MessageRetentionPeriod") != _FOURTEEN_DAYS:
            yield ["Properties"], "MessageRetentionPeriod is not 14 days"
        if not (properties.get("SqsManagedSseEnabled") or properties.get("KmsMasterKeyId")):
            yield ["Properties"], "not encrypted"
        redrive = properties.get("RedrivePolicy")
        if name.endswith(("DeadQueue", "FailuresQueue")):
            return
        if not redrive:
            yield ["Properties"], "no dead-letter queue"
        elif redrive.get("maxReceiveCount", 0) < _FEWEST_RECEIVES:
            yield ["Properties", "RedrivePolicy"], f"maxReceiveCount under {_FEWEST_RECEIVES}"


class Mappings(_Law):
    """One failing entry costs its neighbours nothing, and no stream is blocked for ever."""

    id = "E9002"
    shortdesc = "Event source mappings fail per entry and finitely"
    description = "ReportBatchItemFailures everywhere; MaximumConcurrency on queues; retries and failure queue on streams"
    types = ("AWS::Lambda::EventSourceMapping",)

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        properties = _properties(resource)
        if "ReportBatchItemFailures" not in properties.get("FunctionResponseTypes", []):
            yield ["Properties"], "ReportBatchItemFailures is missing"
        if "StartingPosition" not in properties:
            if not properties.get("ScalingConfig", {}).get("MaximumConcurrency"):
                yield ["Properties"], "a queue mapping needs ScalingConfig.MaximumConcurrency"
            return
        if properties.get("MaximumRetryAttempts", -1) < 0:
            yield ["Properties"], "a stream mapping needs a finite MaximumRetryAttempts"
        if not 0 < properties.get("MaximumRecordAgeInSeconds", -1) < 86_400:
            yield ["Properties"], "a stream mapping needs a MaximumRecordAgeInSeconds under the stream's 24 hours"
        if not properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"):
            yield ["Properties"], "a stream mapping needs an on-failure destination"
        if properties.get("BisectBatchOnFunctionError") is not True:
            yield ["Properties"], "a stream mapping needs BisectBatchOnFunctionError"


class Roles(_Law):
    """Least privilege: named actions on named resources."""

    id = "E9003"
    shortdesc = "Roles hold no wildcards"
    description = "No wildcard action; `*` as resource only where Metadata.Waivers gives the reason by the statement's Sid"
    types = ("AWS::IAM::Role", "AWS::IAM::RolePolicy")

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        waived = (resource.get("Metadata") or {}).get("Waivers", {})
        if _properties(resource).get("ManagedPolicyArns"):
            yield ["Properties"], "managed policies grant more than is used"
        used = set()
        for path, statement in _statements(resource):
            if any("*" in action for action in _listed(statement["Action"])):
                yield ["Properties", *path], f"wildcard in actions {statement['Action']}"
            if "*" in _listed(statement["Resource"]):
                used.add(statement.get("Sid"))
                if not waived.get(statement.get("Sid")):
                    yield ["Properties", *path], "resource * without a waiver in Metadata.Waivers"
        for sid in set(waived) - used:
            yield ["Metadata"], f"waiver {sid} waives nothing"


class NoLoops(_Law):
    """Deferral is a timer's business, never a message sent back to its own queue."""

    id = "E9004"
    shortdesc = "No function may send to a queue that wakes it"
    description = "The source of a queue mapping is not among the queues its function's role may send to"
    types = ("AWS::Lambda::EventSourceMapping",)

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        source = _properties(resource).get("EventSourceArn")
        function = _properties(resource).get("FunctionName")
        target = function.get("Ref") if isinstance(function, dict) else None
        role = _role_name(cfn.template["Resources"].get(target, {}))
        for _, statement in _statements(cfn.template["Resources"].get(role, {})):
            if "sqs:SendMessage" in _listed(statement["Action"]) and source in _listed(statement["Resource"]):
                yield ["Properties", "EventSourceArn"], f"{target} may send to the queue that wakes it"


class Functions(_Law):
    """Each function can be seen and judged on its own."""

    id = "E9005"
    shortdesc = "Functions have their own role, log group and alarm, and are traced"
    description = "Role, LoggingConfig.LogGroup with retention, an alarm on Errors, active tracing"
    types = _FUNCTIONS

    def broken(self, name: str, resource: dict[str, Any], cfn: Template) -> Iterator[tuple[list[Any], str]]:
        properties = _properties(resource)
        others = [other for kind in _FUNCTIONS for key, other in cfn.get_resources(kind).items() if key != name]
        if not _role_name(resource):
            yield ["Properties"], "no role of its own"
        elif _role_name(resource) in map(_role_name, others):
            yield ["Properties", "Role"], "shares its role"
        log = properties.get("LoggingConfig", {}).get("LogGroup", {})
        group = cfn.template["Resources"].get(log.get("Ref") if isinstance(log, dict) else None, {})
        if not _properties(group).get("RetentionInDays"):
            yield ["Properties"], "no log group with retention"
        if properties.get("TracingConfig", {}).get("Mode") != "Active":
            yield ["Properties"], "not traced"
        if not self._alarmed(name, cfn):
            yield [], "no alarm on its errors"

    def _alarmed(self, name: str, cfn: Template) -> bool:
        dimension = {"Name": "FunctionName", "Value": {"Ref": name}}
        return any(
            _properties(alarm).get("MetricName") == "Errors" and dimension in _properties(alarm).get("Dimensions", [])
            for alarm in cfn.get_resources("AWS::CloudWatch::Alarm").values()
        )
