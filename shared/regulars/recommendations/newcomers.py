"""Shoppers of whom little is known: what they say they like, where they are, on what they look, and when.

Popularity of a small context is shaky, so every context is believed by its evidence: with n the deeds counted in it,

    score(i) = (1 − Σ_c w_c·t_c) · whole(i) + Σ_c w_c·t_c · context_c(i)        t_c = n_c / (n_c + trust_deeds)

(shrinkage towards the whole, Robbins' empirical Bayes; shares of the highest on both sides). A context that nothing is known
of has no say. Declared interests come on top, and weigh less with every deed of her own: a / (a + deeds) with a = `own_deeds`.

An interest (`interests` in the traits, in Chinese or English) means the categories and brands whose names have most of its
words, at least half; if there are none, the best sellers and newest items whose titles have all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from regulars.catalogue.words import words_of_name
from regulars.clock import zone_named
from regulars.recommendations.blending import Scores
from regulars.recommendations.model import Candidate
from regulars.recommendations.situation import Situation
from regulars.similarity.contexts import part_of_day
from regulars.similarity.model import EVERYWHERE, category_scope, daypart_scope, device_scope, region_scope

_MOST_INTERESTS = 10
_PARTS = re.compile(r"[,;|、，；]")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an interest stands for in this shop."""

    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()


def interests_of(traits: Mapping[str, Any]) -> tuple[str, ...]:
    """Declared interests: a list, or one text with commas."""
    told = traits.get("interests")
    listed = told if isinstance(told, list | tuple) else _PARTS.split(told) if isinstance(told, str) else ()
    texts = (entry.strip() for entry in listed if isinstance(entry, str))
    return tuple(dict.fromkeys(text for text in texts if text))[:_MOST_INTERESTS]


def meaning(interest: str, situation: Situation) -> Meaning:
    """The categories and brands whose names hold most of the interest's words, at least half; the shortest names first."""
    wanted = frozenset(words_of_name(interest))
    most = situation.settings.newcomers.names_per_interest
    if not wanted:
        return Meaning()
    snapshot = situation.snapshot
    return Meaning(_named(wanted, snapshot.by_category, most), _named(wanted, snapshot.by_brand, most))


def scopes(situation: Situation) -> Iterator[str]:
    """The popularity rows that the answer needs, beside the region's; none once her own deeds speak louder."""
    own = _own_deeds(situation)
    if not own:
        if situation.ask.device:
            yield device_scope(situation.ask.device)
        yield daypart_scope(_part(situation))
    if own <= situation.settings.newcomers.most_deeds:
        for interest in interests_of(situation.profile.traits):
            for category in meaning(interest, situation).categories:
                yield category_scope(category)


def popular_here(situation: Situation) -> tuple[Scores, dict[str, tuple[str, str]]]:
    """(scores, item → (reason code, source)) of region, device and hour over the whole; without any, the whole alone.

    The reason is the context in which the item stands highest above the whole, if it stands above.
    """
    settings = situation.settings.newcomers
    whole = dict(situation.selling(EVERYWHERE))
    contexts = (
        ("popular_in_region", region_scope(situation.country) if situation.country else "", settings.region),
        ("popular_on_device", device_scope(situation.ask.device) if situation.ask.device else "", settings.device),
        ("popular_now", daypart_scope(_part(situation)), settings.daypart),
    )
    parts = []
    for code, scope, weight in contexts:
        shares = dict(situation.selling(scope)) if scope else {}
        share = weight * situation.trust(scope) if shares else 0.0
        if share > 0:
            parts.append((code, scope, share, shares))
    left = max(0.0, 1.0 - sum(share for _, _, share, _ in parts))
    scores = {item_id: left * score for item_id, score in whole.items()}
    causes: dict[str, tuple[str, str]] = {}
    lead: dict[str, float] = {}
    for code, scope, share, shares in parts:
        for item_id, score in shares.items():
            scores[item_id] = scores.get(item_id, 0.0) + share * score
            above = share * (score - whole.get(item_id, 0.0))
            if above > lead.get(item_id, 0.0):
                lead[item_id], causes[item_id] = above, (code, scope)
    return scores, causes


def liked(situation: Situation) -> list[Candidate]:
    """What her declared interests name, scored up to `newcomers.interests`; nothing when they match nothing here.

    Several interests take turns: the n-th best of each counts 1 / (1 + `fade` · n).
    """
    settings, own = situation.settings.newcomers, _own_deeds(situation)
    if own > settings.most_deeds:
        return []
    weight = settings.interests * settings.own_deeds / (settings.own_deeds + own)
    found: list[Candidate] = []
    for interest in interests_of(situation.profile.traits):
        details = {"interest": interest}
        for place, item_id in enumerate(islice(_shelf(interest, situation), settings.items_per_interest)):
            score = weight / (1 + settings.fade * place)
            found.append(Candidate(item_id, score, "because_interest", (), details, "interests"))
    return found


def _own_deeds(situation: Situation) -> int:
    profile = situation.profile
    return len(profile.purchases) + len(profile.item_seen_at) + len(profile.cart) + len(profile.wishlist)


def _shelf(interest: str, situation: Situation) -> Iterator[str]:
    """Items that may be shown for it: what sells in its categories, then their newest, its brands', then by title."""
    names = meaning(interest, situation)
    snapshot = situation.snapshot
    sellers = chain.from_iterable(_turns([situation.selling(category_scope(name)) for name in names.categories]))
    shelves = [snapshot.by_category[name] for name in names.categories] + [snapshot.by_brand[name] for name in names.brands]
    ids: Iterable[str] = chain((item_id for item_id, _ in sellers), chain.from_iterable(_turns(shelves)))
    if not names.categories and not names.brands:
        ids = _by_title(interest, situation)
    return (item_id for item_id in dict.fromkeys(islice(ids, 4000)) if situation.fresh(item_id))


def _by_title(interest: str, situation: Situation) -> Iterator[str]:
    wanted = frozenset(words_of_name(interest))
    newest = situation.snapshot.newest[: situation.settings.newcomers.titles_looked_at]
    for item_id in chain((item_id for item_id, _ in situation.selling(EVERYWHERE)), newest):
        if wanted and item_id in situation.snapshot and wanted <= _words(situation.snapshot[item_id].title):
            yield item_id


def _turns(lists: Iterable[Iterable[Any]]) -> Iterator[tuple[Any, ...]]:
    """The first of each list, the second of each, …; shorter lists fall out."""
    waiting = [iter(entries) for entries in lists]
    while waiting:
        row = []
        for entries in list(waiting):
            try:
                row.append(next(entries))
            except StopIteration:
                waiting.remove(entries)
        yield tuple(row)


def _named(wanted: frozenset[str], names: Mapping[str, Any], most: int) -> tuple[str, ...]:
    shared = {name: len(wanted & _words(name)) for name in names}
    highest = max(shared.values(), default=0)
    if not highest or 2 * highest < len(wanted):
        return ()
    matching = (name for name, count in shared.items() if count == highest)
    return tuple(sorted(matching, key=lambda name: (len(name), name))[:most])


@lru_cache(maxsize=20_000)
def _words(name: str) -> frozenset[str]:
    """With the single characters of Chinese names: 茶 is in 茶叶."""
    found = words_of_name(name)
    pairs = (word for word in found if len(word) == 2 and not word.isascii())
    return frozenset((*found, *(character for pair in pairs for character in pair)))


def _part(situation: Situation) -> str:
    """The part of her day, in her zone, else the shop's."""
    told = (situation.ask.time_zone, situation.profile.traits.get("timezone"), situation.settings.newcomers.time_zone)
    zones = (zone_named(name) for name in told if isinstance(name, str) and name)
    return part_of_day(situation.now, next((zone for zone in zones if zone), UTC))
