"""Writes what every scene answers to three real shoppers of the sample shop into docs/scenes.md, between its markers.

    uv run python -m regulars_demo.scene_page            write
    uv run python -m regulars_demo.scene_page --check    only say whether the page is current (1 when it is not)

The shop is made in memory from the sample, so that two runs write the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regulars.profiles.model import Profile
from regulars.recommendations.model import SCENES, Answer, Ask, Placed
from regulars.recommendations.reasons import LANGUAGES, money
from regulars_demo.memory_shop import MemoryShop

PAGE = Path(__file__).resolve().parents[3] / "docs" / "scenes.md"
BEGIN, END = "<!-- shoppers: begin -->", "<!-- shoppers: end -->"
LIMIT = 6
SHORT_CENTS = 700
"""How much the carts lack to the saving."""
QUIET = ("dormant", "lost", "churn-risk")


@dataclass(frozen=True, slots=True)
class Question:
    """What a scene is asked of a shopper, and in words."""

    words: str
    changes: dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 written or current, 1 not current, 2 without markers."""
    parser = argparse.ArgumentParser(prog="regulars_demo.scene_page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    chosen = parser.parse_args(arguments)
    old = PAGE.read_text("utf-8")
    if BEGIN not in old or END not in old:
        print(f"{PAGE.name} has no markers {BEGIN} and {END}", file=sys.stderr)
        return 2
    new = between(old, "\n".join(section(MemoryShop())))
    if chosen.check:
        return int(new != old)
    PAGE.write_text(new, "utf-8")
    return 0


def between(page: str, text: str) -> str:
    """The page with the text between its markers."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def section(shop: MemoryShop) -> Iterator[str]:
    """The lines of the three shoppers."""
    yield f"On the evening of {shop.now:%Y-%m-%d}, after {len(shop.events):,} events of {len(list(shop.shoppers()))} shoppers."
    for shopper in chosen(shop):
        profile = shop.profiles.load(shopper, shop.now)
        yield from ("", f"### {_name(profile)}", "", _about(profile))
        for scene in SCENES:
            yield from _scene(shop, profile, scene)


def chosen(shop: MemoryShop) -> list[str]:
    """Three unlike each other: a loyal shopper, one who is none yet, one who fell silent; of each the one with the
    fullest cart, and of those the one with most orders."""
    profiles = [shop.profiles.load(name, shop.now) for name in shop.shoppers()]
    kinds: tuple[Callable[[str], bool], ...] = (
        lambda stage: stage == "loyal",
        lambda stage: stage not in ("loyal", *QUIET),
        lambda stage: stage in QUIET,
    )
    found = []
    for is_kind in kinds:
        of_kind = [profile for profile in profiles if is_kind(profile.stage)]
        of_kind.sort(key=lambda profile: (-len(profile.cart), -len(profile.orders), profile.shopper))
        found += [profile.shopper for profile in of_kind[:1]]
    return found


def _name(profile: Profile) -> str:
    return f"Shopper {profile.shopper.removeprefix('user:')}, {profile.stage}"


def _about(profile: Profile) -> str:
    spent = sum(order.value_cents for order in profile.orders)
    tags = sorted(profile.tags.items(), key=lambda tag: (-tag[1], tag[0]))
    likes = [tag.rpartition("/")[2] for tag, _ in tags if tag.startswith("preference/category/")][:3]
    last = max((order.at for order in profile.orders), default=None)
    return (
        f"{profile.traits.get('country', 'Country unknown')}; {profile.tier} value; {len(profile.orders)} orders, "
        f"{money(spent, 'GBP')}, the last on {last:%Y-%m-%d}; {len(profile.cart)} in the cart; "
        f"likes {', '.join(likes) or 'nothing in particular'}."
        if last
        else "No orders."
    )


def _scene(shop: MemoryShop, profile: Profile, scene: str) -> Iterator[str]:
    question = _question(shop, profile, scene)
    answers = {language: _ask(shop, profile, scene, question, language) for language in LANGUAGES}
    english = answers["en"]
    yield from ("", f"**{scene}**{question.words}", "")
    for words in _beside(english):
        yield from (words, "")
    yield from ("| | item | price | why | 为什么 |", "| --- | --- | --- | --- | --- |")
    for rows in zip(*(_rows(answers[language]) for language in LANGUAGES), strict=True):
        one, other = rows[0], rows[1]
        place = str(one.position or "banner")
        price = money(one.item.price_cents, one.item.currency)
        yield f"| {place} | {_cell(one.item.title)} | {price} | {_cell(one.reason.text)} | {_cell(other.reason.text)} |"
    if not english.items:
        yield f"| | nothing: `{english.reason}` | | | |"


def _question(shop: MemoryShop, profile: Profile, scene: str) -> Question:
    seen = sorted(profile.item_seen_at, key=lambda item: (profile.item_seen_at[item], item), reverse=True)
    if scene == "product":
        return Question(f", looking at {shop.catalogue.get(seen[:1])[seen[0]].title}", {"item_id": seen[0]})
    if scene == "cart":
        cart = tuple(profile.cart) or tuple(seen[:2])
        cents = shop.settings.threshold.spend_cents - SHORT_CENTS  # the shop's customers buy by the dozen
        titles = " and ".join(item.title for item in shop.catalogue.get(cart).values())
        return Question(f", with {titles} for {money(cents, 'GBP')} in it", {"cart": cart, "cart_cents": cents})
    return Question("", {})


def _ask(shop: MemoryShop, profile: Profile, scene: str, question: Question, language: str) -> Answer:
    ask = Ask(scene=scene, shopper=profile.shopper, limit=LIMIT, language=language, **question.changes)
    return shop.recommend()(ask)


def _rows(answer: Answer) -> list[Placed]:
    return [*([answer.banner] if answer.banner else ()), *answer.items]


def _beside(answer: Answer) -> Iterator[str]:
    threshold = answer.extras.get("threshold")
    if threshold and threshold["gapCents"]:
        gap, save = (money(threshold[key], threshold["currency"]) for key in ("gapCents", "saveCents"))
        yield f"{gap} are missing to save {save}."
    elif threshold:
        yield f"The cart saves {money(threshold['reachedSaveCents'], threshold['currency'])} already."
    if "memberGroup" in answer.extras:
        yield f"Member group: {answer.extras['memberGroup']}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
