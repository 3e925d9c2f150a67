"""The templates as one graph: every value followed through nested stacks' parameters and outputs to where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from regulars_local import cloudformation

ROOT = Path(__file__).resolve().parents[2]
_ROOT_STACK = ""


@dataclass(frozen=True)
class Origin:
    """The resource a value comes from and which of its attributes; a parameter of the root has no attribute."""

    stack: str
    name: str
    attribute: str = "Ref"


@dataclass(frozen=True)
class Deployed:
    """A function of the templates."""

    stack: str
    logical_id: str
    properties: dict[str, Any]
    role: dict[str, Any]

    @property
    def name(self) -> str:
        """As flow.py says it."""
        return str(self.variables["POWERTOOLS_SERVICE_NAME"])

    @property
    def variables(self) -> dict[str, Any]:
        values: dict[str, Any] = self.properties["Environment"]["Variables"]
        return values

    @property
    def origin(self) -> Origin:
        return Origin(self.stack, self.logical_id)


@cache
def stacks() -> dict[str, dict[str, Any]]:
    """Logical id of the nested stack → template; the root is ""."""
    root = cloudformation.load(ROOT / "template.yaml")
    nested = {name: cloudformation.load(ROOT / path) for name, path in cloudformation.nested(root).items()}
    return {_ROOT_STACK: root, **nested}


def resources(kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(stack, logical id, resource) of every resource of type `kind`."""
    return [
        (stack, name, resource)
        for stack, template in stacks().items()
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    ]


@cache
def functions() -> dict[str, Deployed]:
    """Name in flow.py → function."""
    found = [
        Deployed(stack, name, resource["Properties"], stacks()[stack]["Resources"][_role(resource)])
        for stack, name, resource in resources("AWS::Lambda::Function")
    ]
    return {function.name: function for function in found}


def _role(resource: dict[str, Any]) -> str:
    return str(resource["Properties"]["Role"]["Fn::GetAtt"][0])


def origin(stack: str, value: Any) -> Origin | None:
    """Where `value`, written in `stack`, comes from; None for a literal."""
    if not isinstance(value, dict):
        return None
    template = stacks()[stack]
    if "Ref" in value:
        name = value["Ref"]
        if stack == _ROOT_STACK or name in template["Resources"]:
            return Origin(stack, name)
        return origin(_ROOT_STACK, stacks()[_ROOT_STACK]["Resources"][stack]["Properties"]["Parameters"][name])
    if "Fn::GetAtt" in value:
        name, attribute = value["Fn::GetAtt"]
        if attribute.startswith("Outputs."):
            return origin(name, stacks()[name]["Outputs"][attribute.removeprefix("Outputs.")]["Value"])
        return Origin(stack, name, attribute)
    if "Fn::If" in value:
        return origin(stack, value["Fn::If"][1]) or origin(stack, value["Fn::If"][2])
    if "Fn::Sub" in value:
        names = re.findall(r"\$\{(\w+)\}", value["Fn::Sub"])
        return origin(stack, {"Ref": names[0]}) if names else None
    return None


def noun(where: Origin | None, ending: str) -> str:
    """`events` of a resource called `EventsTable` (ending `Table`)."""
    assert where is not None
    assert where.name.endswith(ending), where
    return snake(where.name.removesuffix(ending))


def snake(name: str) -> str:
    """`EventsDead` → `events_dead`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def statements(function: Deployed) -> list[dict[str, Any]]:
    """The statements of a function's role, with those of policies that are attached to it only under a condition."""
    role = {"Ref": _role({"Properties": function.properties})}
    attached = [
        policy["Properties"]
        for policy in stacks()[function.stack]["Resources"].values()
        if policy["Type"] == "AWS::IAM::RolePolicy" and policy["Properties"]["RoleName"] == role
    ]
    policies = [*function.role["Properties"]["Policies"], *attached]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def listed(value: Any) -> list[Any]:
    """One or many, as a list."""
    return value if isinstance(value, list) else [value]
