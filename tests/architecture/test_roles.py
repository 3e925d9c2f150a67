"""Each function's role allows what flow.py says it reads, writes and emits, and nothing else."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import Any

import pytest
from tests.architecture import templates
from tests.architecture.templates import Deployed
from tests.architecture.test_environment import settings_of

from regulars.flow import BUCKETS, FLOW, QUEUES, TABLES, Function, Queue, Stream

NAMES = [entry.name for entry in FLOW]
_READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
_WRITE = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
}
_STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
_RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
_SWEEPS = {
    ("sweep_lifecycle", "profiles"),
    ("build_similarity", "catalogue"),
    ("build_popularity", "catalogue"),
    ("enforce_retention", "quarantine"),
    ("enforce_retention", "events"),
    ("erase_shopper", "quarantine"),
}
_PROVIDERS = {
    "ses": ({"ses:SendEmail", "ses:SendRawEmail"}, ("identity/*", "configuration-set/${EmailConfigurationSet}")),
    "sns": ({"sns:Publish"}, ("endpoint/*",)),
    "sms_voice": ({"sms-voice:SendTextMessage"}, ("phone-number/*", "pool/*", "sender-id/*")),
    "sns_subscriptions": ({"sns:ConfirmSubscription"}, ("CallbackTopics",)),
    "emr_serverless": ({"emr-serverless:StartJobRun"}, ("/applications/${BulkApplicationId}",)),
}
Allowed = dict[str, set[str]]


def allowed(function: Deployed) -> Allowed:
    """Resource (`table/events`, `stream/events`, `queue/email`, `bucket/data`, `objects/data`, …) → actions."""
    found: Allowed = defaultdict(set)
    for statement in templates.statements(function):
        assert statement["Effect"] == "Allow"
        for resource in templates.listed(statement["Resource"]):
            found[_resource(function, resource)] |= set(templates.listed(statement["Action"]))
    return dict(found)


def _resource(function: Deployed, resource: Any) -> str:
    if isinstance(resource, dict) and "Fn::Split" in resource:
        resource = resource["Fn::Split"][1]
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    where = templates.origin(function.stack, resource)
    if ":dynamodb:" in text:
        return f"table/{templates.noun(where, 'Table')}"
    if ":s3:" in text:
        return f"{'objects' if text.endswith('/*') else 'bucket'}/{templates.noun(where, 'Bucket')}"
    if ":logs:" in text:
        assert where is not None
        return where.name
    if text:
        return str(text).rsplit(":", 1)[-1]
    assert where is not None
    if where.name.endswith("Table"):
        return f"stream/{templates.noun(where, 'Table')}"
    if where.name.endswith("Queue"):
        return f"queue/{templates.noun(where, 'Queue')}"
    return where.name


def wanted(entry: Function, fields_of: set[str]) -> Allowed:
    """What flow.py grants; a stream's own records come with the mapping, its table only to who has its name."""
    grants: Allowed = defaultdict(set)
    grants[f"{''.join(part.capitalize() for part in entry.name.split('_'))}Log"] = {"logs:CreateLogStream", "logs:PutLogEvents"}
    grants["*"] = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    for noun, actions in [(noun, _READ) for noun in entry.reads] + [(noun, _WRITE) for noun in entry.writes]:
        if noun in TABLES and f"{noun}_table" in fields_of:
            grants[f"table/{noun}"] |= actions
    for name, noun in _SWEEPS:
        if name == entry.name:
            grants[f"table/{noun}"].add("dynamodb:Scan")
    for noun in BUCKETS:
        if noun in entry.reads:
            grants[f"bucket/{noun}"].add("s3:ListBucket")
            grants[f"objects/{noun}"].add("s3:GetObject")
        if noun in entry.writes:
            grants[f"objects/{noun}"] |= {"s3:PutObject", *(["s3:DeleteObject"] if entry.stage == "privacy" else [])}
    for wake in entry.woken_by:
        if isinstance(wake, Queue):
            grants[f"queue/{wake.name}"] |= _RECEIVE
        if isinstance(wake, Stream):
            grants[f"stream/{wake.table}"] |= _STREAM
            grants["queue/stream_failures"].add("sqs:SendMessage")
    for emitted in entry.emits:
        if emitted in QUEUES:
            grants[f"queue/{emitted}"].add("sqs:SendMessage")
        else:
            actions, resources = _PROVIDERS[emitted]
            for resource in resources:
                grants[resource] |= actions
    if "bulk_job_role_arn" in fields_of:
        grants["JobRole"].add("iam:PassRole")
    if "signing_secret_arn" in fields_of:
        grants["SigningSecret"].add("secretsmanager:GetSecretValue")
    return dict(grants)


@pytest.mark.parametrize("entry", FLOW, ids=NAMES)
def test_a_role_allows_what_the_flow_says(entry: Function) -> None:
    fields_of = {field.name for field in fields(settings_of(entry.name))}
    assert allowed(templates.functions()[entry.name]) == wanted(entry, fields_of)


@pytest.mark.parametrize("entry", FLOW, ids=NAMES)
def test_the_flow_names_every_store_in_the_settings(entry: Function) -> None:
    """A table, queue or bucket in the settings is read, written or emitted to; the other way, streams excepted."""
    names = {field.name for field in fields(settings_of(entry.name))}
    tables = {name.removesuffix("_table") for name in names if name.endswith("_table")}
    queues = {name.removesuffix("_queue_url") for name in names if name.endswith("_queue_url")}
    buckets = {name.removesuffix("_bucket") for name in names if name.endswith("_bucket")}
    touched = {*entry.reads, *entry.writes}
    streamed = {wake.table for wake in entry.woken_by if isinstance(wake, Stream)}
    assert tables <= touched & set(TABLES)
    assert (touched & set(TABLES)) - tables <= streamed
    assert queues == set(entry.emits) & set(QUEUES)
    assert buckets == touched & set(BUCKETS)


def test_roles_are_not_shared() -> None:
    roles = [function.properties["Role"]["Fn::GetAtt"][0] for function in templates.functions().values()]
    assert len(set(roles)) == len(roles)
