"""Return visit: what waits in the cart, then what was saved, with their discounts; then substitutes for what sold out and new
items of the same brands; then what was looked at, and the like of all that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice, takewhile

from regulars.recommendations.blending import Seeds, causes, near, normalised
from regulars.recommendations.complements import SHELF, shelf_mates
from regulars.recommendations.model import UNTOLD, Candidate
from regulars.recommendations.scenes.common import BECAUSE, Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import CONTENT, SIMILAR

IN_CART, SAVED, VIEWED = "in_cart", "saved", "viewed"
_BLOCKS = {IN_CART: 6.0, SAVED: 5.0, "instead": 4.0, "new_of_brand": 3.0, VIEWED: 2.0}
"""Where each block's scores end; within a block they lie above the end of the next one."""
_INSTEAD_OF_ONE, _NEW_OF_ONE_BRAND = 3, 3


def _waiting(situation: Situation) -> dict[str, str]:
    """Item → code: in the cart, then saved, then lately looked at and not bought; each newest first."""
    profile, since = situation.profile, situation.now - timedelta(days=situation.settings.return_scene.viewed_days)
    lists = (
        (IN_CART, {item_id: float(n) for n, item_id in enumerate(reversed(situation.cart))}),
        (SAVED, {item_id: at.timestamp() for item_id, at in profile.wishlist.items()}),
        (VIEWED, {item_id: at.timestamp() for item_id, at in profile.item_seen_at.items() if at >= since}),
    )
    seen: dict[str, str] = {}
    for code, times in lists:
        for item_id in sorted(times, key=lambda item_id: (-times[item_id], item_id)):
            if code == IN_CART or item_id not in situation.bought:
                seen.setdefault(item_id, code)
    return dict(islice(seen.items(), situation.settings.history.items))


def _return_seeds(situation: Situation) -> Seeds:
    """What waits, then what else she did lately: somebody for whom nothing waits is welcomed by her taste."""
    seeds = dict.fromkeys((*_waiting(situation), *(deed.item_id for deed in situation.deeds)))
    return [(item_id, 0.9**place) for place, item_id in enumerate(islice(seeds, situation.settings.history.items))]


def _return(situation: Situation, seeds: Seeds) -> list[Candidate]:
    waiting = _waiting(situation)
    candidates = list(_hers(situation, waiting))
    candidates += _instead(situation, waiting)
    candidates += _new_of_brands(situation, waiting)
    alike = normalised(situation.only_fresh(near(seeds, situation.rows, {SIMILAR: 1.0}, situation.hidden)))
    return candidates + [Candidate(item_id, score, UNTOLD, source=SIMILAR) for item_id, score in alike.items()]


def _told(situation: Situation, chosen: Sequence[Candidate]) -> list[Candidate]:
    """What each is like: something that waits, or else something she had."""
    waiting, among = _waiting(situation), {candidate.item_id for candidate in chosen if candidate.code == UNTOLD}
    why = causes(_return_seeds(situation), situation.rows, (SIMILAR,), among)
    kinds = {deed.item_id: BECAUSE[deed.kind] for deed in situation.deeds}
    codes = {item_id: "similar_to" if cause in waiting else kinds[cause] for item_id, cause in why.items()}
    return [
        replace(candidate, code=codes[candidate.item_id], because=(why[candidate.item_id],))
        if candidate.item_id in codes
        else candidate
        for candidate in chosen
    ]


def _hers(situation: Situation, waiting: dict[str, str]) -> Iterator[Candidate]:
    for place, (item_id, code) in enumerate(waiting.items()):
        if situation.available(item_id):
            item = situation.snapshot[item_id]
            discounted = item.list_price_cents > item.price_cents
            word = f"{code}_discounted" if discounted else code
            yield Candidate(item_id, _within(code, place), word, (item_id,), source="history")


def _instead(situation: Situation, waiting: dict[str, str]) -> Iterator[Candidate]:
    """For each of the cart or the saved that is sold out or gone: the nearest that can be had, by who chose the same, by
    content, or else of its shelf."""
    place = 0
    for gone, code in waiting.items():
        if code == VIEWED or not _is_gone(gone, situation):
            continue
        for item_id, source in islice(_like(gone, situation), _INSTEAD_OF_ONE):
            yield Candidate(item_id, _within("instead", place), "instead_of_sold_out", (gone,), source=source)
            place += 1


def _is_gone(item_id: str, situation: Situation) -> bool:
    return item_id in situation.stock_outs or item_id not in situation.snapshot


def _like(gone: str, situation: Situation) -> Iterator[tuple[str, str]]:
    row = situation.rows.get(gone)
    known = situation.snapshot.get(gone)
    for relation in (SIMILAR, CONTENT):
        ranked = row.relations.get(relation) if row else None
        fresh = [item_id for item_id, _ in ranked or () if situation.fresh(item_id)]
        if known and known.category:  # a substitute serves the same purpose: its own shelf first
            fresh.sort(key=lambda item_id: situation.snapshot[item_id].category != known.category)
        yield from ((item_id, relation) for item_id in fresh)
        if fresh:
            return
    if known and known.category:
        yield from ((item.item_id, "attributes") for item in shelf_mates(situation, known, _INSTEAD_OF_ONE))


def _new_of_brands(situation: Situation, waiting: Iterable[str]) -> Iterator[Candidate]:
    since = situation.now - timedelta(days=situation.settings.return_scene.new_of_brand_days)
    brands: dict[str, str] = {}
    for item_id in waiting:
        if item_id in situation.snapshot and situation.snapshot[item_id].brand:
            brands.setdefault(situation.snapshot[item_id].brand, item_id)
    place = 0
    for brand, cause in brands.items():
        shelf = (situation.snapshot[item_id] for item_id in situation.snapshot.by_brand.get(brand, ())[:SHELF])
        new = takewhile(lambda item: item.listed_at is not None and item.listed_at >= since, shelf)
        listed = (item for item in new if item.listed_at and item.listed_at <= situation.now and situation.fresh(item.item_id))
        for item in islice(listed, _NEW_OF_ONE_BRAND):
            details = {"brand": brand}
            yield Candidate(item.item_id, _within("new_of_brand", place), "new_of_brand", (cause,), details, "attributes")
            place += 1


def _within(block: str, place: int) -> float:
    """A score in the block, falling with the place and never below the block's end."""
    return _BLOCKS[block] + 1.0 / (2 + place)


SCENE = Scene(_return_seeds, _return, told=_told)
