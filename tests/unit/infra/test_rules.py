"""Our cfn-lint rules: our templates pass, and each law broken once is found."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.rules import CloudFormationLintRule
from cfnlint.template import Template

from regulars_local import cloudformation

ROOT = Path(__file__).resolve().parents[3]
Break = Callable[[dict[str, Any]], object]


@pytest.fixture
def laws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "infra" / "rules"))
    import laws

    yield laws
    sys.modules.pop("laws", None)


def _complaints(rule: CloudFormationLintRule, stack: str, spoil: Break | None = None) -> list[str]:
    template = copy.deepcopy(cloudformation.load(ROOT / "infra" / "stacks" / f"{stack}.yaml"))
    if spoil:
        spoil(template["Resources"])
    return [match.message for match in rule.match(Template(stack, template))]


def _properties(name: str, **values: Any) -> Break:
    return lambda resources: resources[name]["Properties"].update(values)


def _without(name: str, key: str) -> Break:
    return lambda resources: resources[name]["Properties"].pop(key)


def _statement(role: str, **values: Any) -> Break:
    return lambda resources: resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0].update(values)


BROKEN: list[tuple[str, str, Break, str]] = [
    ("Queues", "queues", _without("EventsQueue", "RedrivePolicy"), "no dead-letter queue"),
    (
        "Queues",
        "queues",
        lambda found: found["EventsQueue"]["Properties"]["RedrivePolicy"].update(maxReceiveCount=2),
        "under 5",
    ),
    ("Queues", "queues", _properties("EventsDeadQueue", MessageRetentionPeriod=345_600), "14 days"),
    ("Queues", "queues", _without("EventsQueue", "SqsManagedSseEnabled"), "not encrypted"),
    ("Mappings", "capture", _without("CaptureEventsFromEvents", "FunctionResponseTypes"), "ReportBatchItemFailures"),
    ("Mappings", "capture", _without("CaptureEventsFromEvents", "ScalingConfig"), "MaximumConcurrency"),
    ("Mappings", "capture", _without("ArchiveEventsFromEvents", "DestinationConfig"), "on-failure"),
    ("Mappings", "capture", _properties("ArchiveEventsFromEvents", MaximumRetryAttempts=-1), "finite"),
    ("Mappings", "capture", _properties("ArchiveEventsFromEvents", MaximumRecordAgeInSeconds=-1), "24 hours"),
    ("Mappings", "capture", _properties("ArchiveEventsFromEvents", BisectBatchOnFunctionError=False), "Bisect"),
    (
        "Roles",
        "similarity",
        lambda found: found["BuildSimilarityBulkPolicy"]["Properties"]["PolicyDocument"]["Statement"][0].update(Resource="*"),
        "without a waiver",
    ),
    ("Roles", "capture", _statement("CaptureEventsRole", Action="logs:*"), "wildcard"),
    ("Roles", "capture", _statement("CaptureEventsRole", Resource="*"), "without a waiver"),
    ("Roles", "capture", _properties("CaptureEventsRole", ManagedPolicyArns=["arn:aws:iam::aws:policy/X"]), "managed"),
    ("Roles", "capture", lambda found: found["CaptureEventsRole"].pop("Metadata"), "without a waiver"),
    ("Roles", "capture", lambda found: found["CaptureEventsRole"]["Metadata"]["Waivers"].update(Log="why"), "waives nothing"),
    (
        "NoLoops",
        "decisions",
        _statement("DecideMessageRole", Action=["sqs:SendMessage"], Resource={"Ref": "MomentsQueueArn"}),
        "wakes it",
    ),
    ("Functions", "capture", _properties("CaptureEvents", Role={"Fn::GetAtt": ["ArchiveEventsRole", "Arn"]}), "shares"),
    ("Functions", "capture", _without("CaptureEvents", "Role"), "no role"),
    ("Functions", "capture", _without("CaptureEvents", "LoggingConfig"), "no log group"),
    ("Functions", "capture", _without("CaptureEvents", "TracingConfig"), "not traced"),
    ("Functions", "capture", lambda found: found.pop("CaptureEventsErrors"), "no alarm"),
]


@pytest.mark.parametrize(
    ("rule", "stack", "spoil", "complaint"), BROKEN, ids=[f"{row[0]}-{row[3]}-{n}" for n, row in enumerate(BROKEN)]
)
def test_a_broken_law_is_found(laws: Any, rule: str, stack: str, spoil: Break, complaint: str) -> None:
    assert any(complaint in message for message in _complaints(getattr(laws, rule)(), stack, spoil))


@pytest.mark.parametrize("path", sorted((ROOT / "infra" / "stacks").glob("*.yaml")), ids=lambda path: path.stem)
def test_our_templates_keep_the_laws(laws: Any, path: Path) -> None:
    for rule in ("Queues", "Mappings", "Roles", "NoLoops", "Functions"):
        assert _complaints(getattr(laws, rule)(), path.stem) == []
