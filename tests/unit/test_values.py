"""A value behaves as the frozen dataclass it stands for, but for what mypy refuses anyway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from regulars.profiles.record import Record
from regulars.values import value


@value(frozen=True, slots=True)
class Ours:
    name: str
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    sizes: Mapping[str, int] = field(default_factory=dict)


def test_it_is_made_compared_changed_and_shown_as_a_frozen_one() -> None:
    assert Ours("a") == Ours("a", {}) != Ours("b")
    assert replace(Ours("a"), name="b") == Ours("b")
    assert repr(Ours("a")).removeprefix("Ours") == repr(Frozen("a")).removeprefix("Frozen")
    assert not hasattr(Ours("a"), "__dict__")


def test_it_is_hashed_by_its_fields() -> None:
    assert hash(Ours("a", ())) == hash(Frozen("a", ()))  # type: ignore[arg-type] # no mapping can be hashed
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours("a"))


def test_names_stay_asked_for() -> None:
    with pytest.raises(TypeError):
        Record("user:1")  # type: ignore[call-arg]


def test_setting_a_field_is_mypys_to_refuse() -> None:
    record = Record(shopper="user:1")
    record.version = 2  # type: ignore[misc] # an error itself, were this allowed
    assert record.version == 2
