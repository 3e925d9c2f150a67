"""docs/scenes.md shows every scene for three shoppers of the sample, in both languages."""

from __future__ import annotations

import re
from operator import eq

import pytest

from regulars.recommendations.model import SCENES
from regulars.recommendations.rules import parse
from regulars.shop import parse_yaml
from regulars_demo import history
from regulars_demo.memory_shop import RULES, MemoryShop
from regulars_demo.scene_page import BEGIN, END, PAGE, between, section

TEXT = PAGE.read_text("utf-8")
SHOWN = TEXT.partition(BEGIN)[2].partition(END)[0]
PARTS = SHOWN.split("\n### ")[1:]
ROW = re.compile(r"^\| (banner|\d+) \| (.+) \| (\d+\.\d\d GBP) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_three_real_shoppers_of_three_kinds() -> None:
    real = {invoice.user for invoice in history.invoices()}
    names = [re.match(r"Shopper (\d+), (\S+)", part) for part in PARTS]
    assert len({name.group(1) for name in names if name} & real) == 3
    assert len({name.group(2) for name in names if name}) == 3


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[:13])
def test_every_scene_answers_with_reasons_in_both_languages(part: str) -> None:
    scenes = re.split(r"^\*\*(\w+)\*\*", part, flags=re.MULTILINE)
    assert tuple(scenes[1::2]) == SCENES
    titles = {row["title"] for row in history.catalogue()}
    for table in scenes[2::2]:
        rows = ROW.findall(table)
        assert [place for place, *_ in rows if place != "banner"] == [str(n + 1) for n in range(6)]
        for _, title, _, english, chinese in rows:
            assert title in titles
            assert english.isascii() or "“" in english
            assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_the_page_is_what_the_code_answers_today() -> None:
    """But for one row in ten: another processor's rounding may change the order of what scores nearly the same."""
    written, today = ROW.findall(SHOWN), ROW.findall("\n".join(section(MemoryShop())))
    assert len(written) == len(today)
    same = sum(map(eq, written, today))
    assert same >= 0.9 * len(today), "docs/scenes.md is out of date: python -m regulars_demo.scene_page"


def test_what_stands_outside_the_markers_stays() -> None:
    page = between(TEXT, "new")
    assert page.partition(BEGIN)[0] == TEXT.partition(BEGIN)[0]
    assert page.partition(END)[2] == TEXT.partition(END)[2]
    assert page.partition(BEGIN)[2].startswith(f"\nnew\n{END}")


def test_the_rules_of_the_page_and_of_the_sample_are_what_the_shop_takes() -> None:
    (document,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for text in (document, RULES.read_text("utf-8")):
        quoted = re.sub(r"((?:from|until): )(\d{4}-\S+)", r'\1"\2"', text)
        rules = parse(parse_yaml(quoted))
        assert rules.rules
        assert rules.lists
