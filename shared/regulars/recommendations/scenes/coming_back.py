"""Return visit: what waits in the cart or was saved, then substitutes and new items of the same brands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from regulars.recommendations.blending import Seeds, causes, near, normalised
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes.common import SHELF, Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import SIMILAR

_BASE = {"in_cart": 4.0, "saved": 3.0, "viewed": 1.0}


def _waiting(situation: Situation) -> list[tuple[str, str]]:
    """(item id, code): in the cart, then saved, then lately looked at and not bought; each newest first."""
    profile, since = situation.profile, situation.now - timedelta(days=situation.settings.return_scene.viewed_days)
    lists = (
        ("in_cart", {item_id: n for n, item_id in enumerate(reversed(situation.cart))}),
        ("saved", {item_id: at.timestamp() for item_id, at in profile.wishlist.items()}),
        ("viewed", {item_id: at.timestamp() for item_id, at in profile.item_seen_at.items() if at >= since}),
    )
    seen: dict[str, str] = {}
    for code, times in lists:
        for item_id in sorted(times, key=lambda item_id: (-times[item_id], item_id)):
            if code == "in_cart" or item_id not in situation.bought:
                seen.setdefault(item_id, code)
    return list(seen.items())[: situation.settings.history.items]


def _return_seeds(situation: Situation) -> Seeds:
    return [(item_id, 0.9**place) for place, (item_id, _) in enumerate(_waiting(situation))]


def _return(situation: Situation, seeds: Seeds) -> list[Candidate]:
    waiting = dict(_waiting(situation))
    candidates = []
    for place, (item_id, code) in enumerate(waiting.items()):
        if situation.available(item_id):
            item = situation.snapshot[item_id]
            discounted = item.list_price_cents > item.price_cents
            word = f"{code}_discounted" if discounted and code != "viewed" else code
            candidates.append(Candidate(item_id, _BASE[code] + 0.9**place, word, (item_id,)))
    alike = normalised(situation.only_fresh(near(seeds, situation.rows, {SIMILAR: 1.0}, situation.hidden)))
    why = causes(seeds, situation.rows, (SIMILAR,), alike)
    for item_id, score in alike.items():
        cause = why[item_id]
        gone = cause in situation.stock_outs and waiting.get(cause) in ("in_cart", "saved")
        code = "instead_of_sold_out" if gone else "similar_to"
        candidates.append(Candidate(item_id, score + (1.0 if gone else 0.0), code, (cause,)))
    return candidates + list(_new_of_brands(situation, waiting))


def _new_of_brands(situation: Situation, waiting: Iterable[str]) -> Iterator[Candidate]:
    since = situation.now - timedelta(days=situation.settings.return_scene.new_of_brand_days)
    brands: dict[str, str] = {}
    for item_id in waiting:
        if item_id in situation.snapshot and situation.snapshot[item_id].brand:
            brands.setdefault(situation.snapshot[item_id].brand, item_id)
    for brand, cause in brands.items():
        shelf = (i for i in situation.snapshot.by_brand.get(brand, ())[:SHELF] if situation.fresh(i))
        for place, item_id in enumerate(islice(shelf, 5)):
            listed_at = situation.snapshot[item_id].listed_at
            if listed_at and listed_at >= since:
                yield Candidate(item_id, 0.8 * 0.9**place, "new_of_brand", (cause,), {"brand": brand})


SCENE = Scene(_return_seeds, _return)
