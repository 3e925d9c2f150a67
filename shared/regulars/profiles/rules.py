"""The language of rule tags (`tag_rules.yaml`; a shop's own under `tag_rules.rules` in shop.yaml are laid over by name).

A rule has a name, its `tags`, a condition `when`, and perhaps `for_each: item`: then it holds when some one item satisfies
the whole condition.

    condition = {all: [condition, …]} | {any: [condition, …]} | {not: condition} | comparison
    comparison = {fact: NAME | tag: layer/family/value | trait: NAME | days_to: FESTIVAL, OPERATOR: VALUE}
    OPERATOR = at_least | at_most | above | below | equals | one_of | between: [least, most]

Names of facts: `regulars.profiles.facts`. Anything unknown is refused with its path. Rules are judged at every write of a
shopper, and daily for what only the calendar changes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from regulars import packaged
from regulars.errors import Invalid
from regulars.profiles.facts import FACTS, ITEM_FACTS, Facts
from regulars.shop import overlay, parse_yaml

Test = Callable[[Facts, str], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """`test` takes the facts and an item id ("" without `for_each`)."""

    name: str
    tags: tuple[str, ...]
    each_item: bool
    test: Test

    def holds(self, facts: Facts) -> bool:
        if self.each_item:
            return any(self.test(facts, item) for item in facts.marks)
        return self.test(facts, "")


def load_rules(overrides: Mapping[str, Any] | None, festivals: Iterable[str]) -> tuple[Rule, ...]:
    """The shipped rules with `overrides["tag_rules"]` laid over; raises Invalid with the path of what is wrong.

    A shipped rule is switched off by `enabled: false`.
    """
    text = packaged.text("regulars", "profiles/tag_rules.yaml")
    merged = overlay(parse_yaml(text), (overrides or {}).get("tag_rules") or {})
    rules = _keys(merged, {"rules"}, "tag_rules")["rules"]
    if not isinstance(rules, Mapping):
        raise _wrong("tag_rules.rules", "must map names to rules")
    known = frozenset(festivals)
    built = [_rule(name, body, f"tag_rules.rules.{name}", known) for name, body in rules.items()]
    return tuple(rule for rule in built if rule)


def verdicts(rules: Iterable[Rule], facts: Facts) -> dict[str, tuple[str, ...]]:
    """Rule → its tags, for every rule that holds."""
    return {rule.name: rule.tags for rule in rules if rule.holds(facts)}


def _rule(name: str, body: Any, path: str, festivals: frozenset[str]) -> Rule | None:
    body = _keys(body, {"tags", "when", "for_each", "enabled"}, path)
    if body.get("enabled", True) is False:
        return None
    tags = body.get("tags")
    if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) and tag for tag in tags):
        raise _wrong(f"{path}.tags", "must be a list of tags")
    if body.get("for_each", "item") != "item":
        raise _wrong(f"{path}.for_each", "can only be item")
    if "when" not in body:
        raise _wrong(f"{path}.when", "is missing")
    compiler = _Compiler(each_item="for_each" in body, festivals=festivals)
    test = compiler.condition(body["when"], f"{path}.when")
    return Rule(name, tuple(tags), "for_each" in body, test)


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
    "equals": operator.eq,
    "one_of": lambda value, choices: value in choices,
    "between": lambda value, ends: ends[0] <= value <= ends[1],
}
_SUBJECTS = frozenset(("fact", "tag", "trait", "days_to"))


class _Compiler:
    """Turns one rule's conditions into a test."""

    def __init__(self, *, each_item: bool, festivals: frozenset[str]) -> None:
        self._each_item = each_item
        self._festivals = festivals

    def condition(self, body: Any, path: str) -> Test:
        if not isinstance(body, Mapping):
            raise _wrong(path, f"must be a condition, got {body!r}")
        for word, combine in (("all", all), ("any", any)):
            if word in body:
                return self._combined(_keys(body, {word}, path)[word], combine, f"{path}.{word}")
        if "not" in body:
            inner = self.condition(_keys(body, {"not"}, path)["not"], f"{path}.not")
            return lambda facts, item: not inner(facts, item)
        return self._comparison(body, path)

    def _combined(self, parts: Any, combine: Callable[[Iterable[bool]], bool], path: str) -> Test:
        if not isinstance(parts, list) or not parts:
            raise _wrong(path, "must be a list of conditions")
        tests = [self.condition(part, f"{path}[{place}]") for place, part in enumerate(parts)]
        return lambda facts, item: combine(test(facts, item) for test in tests)

    def _comparison(self, body: Mapping[str, Any], path: str) -> Test:
        _keys(body, _SUBJECTS | set(_OPERATORS), path)
        subjects, words = _SUBJECTS & set(body), set(_OPERATORS) & set(body)
        if len(subjects) != 1 or len(words) != 1:
            raise _wrong(path, "must have one of fact, tag, trait, days_to and one operator")
        (subject,), (word,) = subjects, words
        read = self._reader(subject, body[subject], f"{path}.{subject}")
        wanted = _operand(word, body[word], f"{path}.{word}")
        compare = _OPERATORS[word]

        def test(facts: Facts, item: str) -> bool:
            value = read(facts, item)
            try:
                return value is not None and compare(value, wanted)
            except TypeError:  # a trait of another type than the rule expects
                return False

        return test

    def _reader(self, subject: str, name: Any, path: str) -> Callable[[Facts, str], Any]:
        if not isinstance(name, str):
            raise _wrong(path, "must be a name")
        if subject == "tag":
            if name.count("/") != 2:
                raise _wrong(path, f"{name!r} is not layer/family/value")
            return lambda facts, item: facts.tag(name)
        if subject == "trait":
            return lambda facts, item: facts.trait(name)
        if subject == "days_to":
            if name not in self._festivals:
                raise _wrong(path, f"no festival {name!r}; known: {', '.join(sorted(self._festivals))}")
            return lambda facts, item: facts.days_to(name)
        if name not in FACTS:
            raise _wrong(path, f"no fact {name!r}; known: {', '.join(sorted(FACTS))}")
        if name in ITEM_FACTS and not self._each_item:
            raise _wrong(path, f"{name!r} needs for_each: item")
        return lambda facts, item: facts.value(name, item)


def _operand(word: str, value: Any, path: str) -> Any:
    if word == "between":
        if not isinstance(value, list) or len(value) != 2 or not all(_is_number(end) for end in value):
            raise _wrong(path, "must be two numbers")
        return value
    if word == "one_of":
        if not isinstance(value, list) or not value:
            raise _wrong(path, "must be a list")
        return value
    if word != "equals" and not _is_number(value):
        raise _wrong(path, f"must be a number, got {value!r}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _keys(body: Any, known: set[str] | frozenset[str], path: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise _wrong(path, f"must be a mapping, got {body!r}")
    for key in body:
        if key not in known:
            raise _wrong(f"{path}.{key}", f"unknown key; known: {', '.join(sorted(known))}")
    return body


def _wrong(path: str, reason: str) -> Invalid:
    return Invalid(f"{path}: {reason}", field=path)
