"""The shop's settings: every number of the business rules, with its default beside the stage it rules.

Defaults live in `<stage>/defaults.yaml`; an operator overrides any of them in one `shop.yaml` with a section per stage
(`regulars config apply shop.yaml` stores it in the data bucket as `config/shop.yaml`). A wrong key or type is refused by
its path, so that a typo never silently keeps a default.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from regulars import packaged
from regulars.errors import Invalid
from regulars.storage import Storage

T = TypeVar("T")
OVERRIDES_KEY = "config/shop.yaml"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """The YAML document in `text`; raises Invalid with the line of a syntax error."""
    try:
        return yaml.load(text, _LOADER)
    except yaml.YAMLError as error:
        raise Invalid(f"not YAML: {error}") from error


def section(kind: type[T], stage: str, overrides: Mapping[str, Any] | None = None) -> T:
    """The settings of `stage` as `kind`: its defaults with the operator's `overrides[stage]` laid over them, key by key."""
    text = packaged.text("regulars", f"{stage}/defaults.yaml")
    merged = overlay(parse_yaml(text) or {}, (overrides or {}).get(stage) or {})
    built: T = build(kind, merged, stage)
    return built


def overrides(storage: Storage) -> Mapping[str, Any]:
    """The operator's `config/shop.yaml` in the data bucket, empty when there is none; raises Invalid when it is not one."""
    blob = storage.get(OVERRIDES_KEY)
    parsed = parse_yaml(blob.decode("utf-8", "replace")) if blob else None
    return _a_mapping(parsed or {}, "shop.yaml")


def overlay(base: Any, over: Any) -> Any:
    """`over` laid over `base`: mappings merge key by key, anything else (lists too) is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: overlay(base.get(key), value) for key, value in over.items()}}
    return base if over is None else over


def build(kind: Any, value: Any, path: str) -> Any:
    """`value` as `kind` (dataclass, mapping, tuple, optional or scalar); raises Invalid with the path of what does not fit."""
    origin = get_origin(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _build_dataclass(kind, value, path)
    if origin in (Union, types.UnionType):
        return _build_optional(kind, value, path)
    if origin is tuple:
        return tuple(build(get_args(kind)[0], entry, f"{path}[{n}]") for n, entry in enumerate(_a_list(value, path)))
    if origin is not None and issubclass(origin, Mapping):
        keys, values = get_args(kind)
        entries = _a_mapping(value, path)
        return {build(keys, key, path): build(values, entry, f"{path}.{key}") for key, entry in entries.items()}
    return _build_scalar(kind, value, path)


def _build_dataclass(kind: Any, value: Any, path: str) -> Any:
    entries = _a_mapping(value, path)
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in fields(kind)}
    for key in entries:
        if key not in known:
            raise Invalid(f"{path}.{key}: unknown key; known: {', '.join(sorted(known))}", field=f"{path}.{key}")
    values = {}
    for name, entry in known.items():
        if name in entries:
            values[name] = build(hints[name], entries[name], f"{path}.{name}")
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise Invalid(f"{path}.{name} is missing", field=f"{path}.{name}")
    return kind(**values)


def _build_optional(kind: Any, value: Any, path: str) -> Any:
    if value is None and type(None) in get_args(kind):
        return None
    errors = []
    for option in get_args(kind):
        if option is type(None):
            continue
        try:
            return build(option, value, path)
        except Invalid as error:
            errors.append(error)
    raise errors[0]


def _build_scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and not (kind in (int, float) and isinstance(value, bool)):
        return value
    raise Invalid(f"{path}: expected {kind.__name__}, got {value!r}", field=path)


def _a_list(value: Any, path: str) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    raise Invalid(f"{path}: expected a list, got {value!r}", field=path)


def _a_mapping(value: Any, path: str) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise Invalid(f"{path}: expected a mapping, got {value!r}", field=path)
