"""Environment variables of the template = fields of the function's settings class, both ways, each from its noun."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest
from tests.architecture import templates

from regulars import settings
from regulars.flow import FLOW

NAMES = [entry.name for entry in FLOW]
_ENDINGS = (("_TABLE", "Table"), ("_QUEUE_URL", "Queue"), ("_BUCKET", "Bucket"))
# Read by Powertools itself, or by nobody here.
_FOREIGN = {"POWERTOOLS_METRICS_NAMESPACE"}


def settings_of(name: str) -> type[settings.Settings]:
    """`CollectEvents` of `collect_events`."""
    kind: type[settings.Settings] = getattr(settings, "".join(part.capitalize() for part in name.split("_")))
    return kind


@pytest.mark.parametrize("name", NAMES)
def test_variables_are_the_settings_fields(name: str) -> None:
    variables = set(templates.functions()[name].variables) - _FOREIGN
    assert variables == {field.name.upper() for field in fields(settings_of(name))}


def test_every_settings_class_belongs_to_a_function() -> None:
    kinds = {kind for kind in vars(settings).values() if isinstance(kind, type) and issubclass(kind, settings.Settings)}
    assert kinds - {settings.Settings, settings.Erasing} == {settings_of(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_points_at_its_noun(name: str) -> None:
    function = templates.functions()[name]
    for variable, value in function.variables.items():
        for suffix, ending in _ENDINGS:
            if variable.endswith(suffix):
                where = templates.origin(function.stack, value)
                assert templates.noun(where, ending) == variable.removesuffix(suffix).lower(), variable


@pytest.mark.parametrize("name", NAMES)
def test_settings_load_from_what_the_template_gives(name: str) -> None:
    """Numbers of the template are numbers to the settings."""
    number_fields = {field.name.upper() for field in fields(settings_of(name)) if field.type in (int, "int")}
    given = {variable: "1" if variable in number_fields else "text" for variable in templates.functions()[name].variables}
    assert settings.load(settings_of(name), given)
    for field in fields(settings_of(name)):
        if field.default is MISSING:
            without = {key: value for key, value in given.items() if key != field.name.upper()}
            with pytest.raises(settings.Misconfigured, match=field.name.upper()):
                settings.load(settings_of(name), without)
