"""docs/settings.md is current; the YAML of the guide is what the shop's own checks take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from regulars.decisions.config import Decisions
from regulars.errors import Invalid
from regulars.recommendations.rules import parse
from regulars.sections import check
from regulars.shop import parse_yaml, section
from regulars_ops import settings_page
from regulars_ops.rehearsal.plan import read_campaign

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_is_current() -> None:
    assert settings_page.PAGE.read_text("utf-8") == settings_page.page(), "run `make docs`"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_the_guide_shows_what_is_taken(block: str) -> None:
    document = parse_yaml(re.sub(r"((?:from|until): )(\S+)", r'\1"\2"', block))
    if "rules" in document:
        assert parse(document)
    elif "campaign" in document:
        assert read_campaign(block, section(Decisions, "decisions"))
    else:
        check(document)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"tag_rules": {"rules": {"x": {"tags": ["x"], "when": {"fact": "no.such", "at_least": 1}}}}}, "no.such"),
        ({"tag_rules": {"rulez": {}}}, "tag_rules"),
        ({"tagrules": {}}, "tagrules"),
        ({"decisions": {"holdoutt": {}}}, "decisions.holdoutt"),
    ],
)
def test_what_no_stage_would_take_is_refused_by_its_path(document: object, path: str) -> None:
    with pytest.raises(Invalid, match=re.escape(path)):
        check(document)


def test_rule_tags_are_a_section_too() -> None:
    rule = {"tags": ["tea-lover"], "when": {"tag": "preference/category/tea", "at_least": 3.0}}
    check({"tag_rules": {"rules": {"tea-lover": rule, "big-spender": {"enabled": False}}}})
