"""What a build goes by: which protocol says what a good list is in this shop, and the weightings and recipe found by it.

A search holds for `tuning.every_days`, or until the settings change; the build then takes what the live pointer says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np

from regulars.clock import to_ms
from regulars.errors import GiveUp, Invalid
from regulars.similarity.config import (
    LinearWeighting,
    NextWeighting,
    Relations,
    SimilaritySettings,
    SimilarWeighting,
    TogetherWeighting,
)
from regulars.similarity.fitting import sampled
from regulars.similarity.interactions import PURCHASE, Interactions, Ints
from regulars.similarity.model import SEQUENCE, Pointer
from regulars.similarity.protocols import (
    DAY_MS,
    LAST_ONE,
    NEXT_BASKET,
    SESSION_PREFIX,
    TIME_NEW,
    Split,
    SplitSettings,
    earlier,
    split,
)
from regulars.similarity.published import Published
from regulars.similarity.recipe import from_wire
from regulars.similarity.sequence import voices_of
from regulars.similarity.tuning import Tuned, tune, unsearched

AUTO = "auto"
_DAYS = 2**24
"""More than there are days in any log: with it two numbers make one key."""
_REPEATS = 0.3
"""Share of purchases that repeat an earlier one of the shopper, from which a shop lives on repeats."""
_BUYERS = 50
"""Shoppers with two purchase days below which purchases say too little to choose by."""
_SESSIONS = 2.0
"""Sessions of a shopper, on average, below which histories are sessions."""
Log = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """`params` go into the pointer: the recipe, the weightings, how and when they were found."""

    tuned: Tuned
    params: Mapping[str, Any]


def choose(
    data: Interactions,
    settings: SimilaritySettings,
    seen: Pointer | None,
    now: datetime,
    log: Log,
    sequence: Callable[[], Published | None] = lambda: None,
) -> Chosen:
    """By search where one is due and the log allows it; else what stands; else the settings' own numbers. `sequence`: the
    published sequence model, which joins the search; a new one makes a search due."""
    published = sequence()
    asked = digest(settings) + (f"+{published.version}" if published else "")
    standing = _standing(settings, seen, now, asked)
    if standing is not None:
        return standing
    tuned = _searched(data, settings, log, published)
    params = {**tuned.report(), "settings": asked, "searched_at": to_ms(now)}
    if published and SEQUENCE in tuned.recipe.parts:
        params[SEQUENCE] = published.version
    return Chosen(tuned, params)


def digest(settings: SimilaritySettings) -> str:
    """Changes when any setting does."""
    return sha256(json.dumps(asdict(settings), sort_keys=True, default=str).encode()).hexdigest()[:16]


def _standing(settings: SimilaritySettings, seen: Pointer | None, now: datetime, asked: str) -> Chosen | None:
    if seen is None or seen.params.get("settings") != asked:
        return None
    searched_at = seen.params.get("searched_at", 0)
    if not isinstance(searched_at, int) or to_ms(now - timedelta(days=settings.tuning.every_days)) >= searched_at:
        return None
    try:
        relations = relations_from(seen.params["relations"])
        recipe = from_wire(seen.params["recipe"])  # none where nothing was searched: then it is tried again
    except (GiveUp, KeyError, TypeError):
        return None
    validation = seen.params.get("validation", {})
    figure, questions = float(validation.get("ndcg", 0.0)), int(validation.get("questions", 0))
    return Chosen(Tuned(replace(settings, relations=relations), recipe, figure, questions=questions), seen.params)


def relations_from(raw: Mapping[str, Any]) -> Relations:
    """The weightings in a pointer's parameters; raises KeyError or TypeError for what are none."""
    return Relations(
        similar=SimilarWeighting(**raw["similar"]),
        together=TogetherWeighting(**raw["together"]),
        next=NextWeighting(**raw["next"]),
        linear=LinearWeighting(**raw["linear"]),
    )


def _searched(data: Interactions, settings: SimilaritySettings, log: Log, published: Published | None) -> Tuned:
    protocol = protocol_of(data, settings)
    if not settings.tuning.enabled or not len(data):
        return unsearched(settings, protocol)
    few = sampled(data, settings.tuning.max_interactions)
    if protocol == SESSION_PREFIX:
        few = replace(few, group=sessions_of(few, settings.relations.similar.session_gap_minutes))
    elif protocol == NEXT_BASKET:
        few = replace(few, group=_days_of(few))
    cut = None if protocol in (LAST_ONE, SESSION_PREFIX) else int(np.quantile(few.at, 1 - settings.tuning.share))
    try:
        asked = SplitSettings(cut_ms=cut, share=settings.tuning.share, min_buyers=2)
        validated = split(few, protocol, asked)
        if published is not None:
            return _with_sequence(validated, settings, protocol, log, published, few.item_ids)
        before = earlier(validated, protocol, asked, settings.tuning.slices - 1)
        return tune(validated, settings, protocol, earlier=before)
    except Invalid as error:
        log("nothing to choose parameters by: the settings' own stand", {"protocol": protocol, "reason": error.reason})
        return unsearched(settings, protocol)


def _with_sequence(
    asked: Split, settings: SimilaritySettings, protocol: str, log: Log, published: Published, item_ids: Sequence[str]
) -> Tuned:
    """The search with the sequence model, by the questions that it has not learned the answers of; where these are too few, or
    it is damaged, without."""
    try:
        model = published.held_out()
        later = np.flatnonzero(asked.queries.now >= model.until_ms)
        if len(later) < settings.tuning.least_questions:
            raise GiveUp(f"only {len(later)} questions are newer than what it learned from", code="too_few_questions")
    except GiveUp as error:
        log("choosing without the sequence model", {"version": published.version, "reason": error.reason})
        return tune(asked, settings, protocol)
    narrowed = replace(asked, queries=asked.queries.take(later))
    return tune(narrowed, settings, protocol, voices={SEQUENCE: partial(voices_of, model, item_ids)})


def protocol_of(data: Interactions, settings: SimilaritySettings) -> str:
    """What the shop is like: groceries (next-basket), new discoveries (time-new), short visits (session-prefix), or long
    histories without purchases (last-one)."""
    if settings.tuning.protocol != AUTO:
        return settings.tuning.protocol
    bought = data.where(data.kind == PURCHASE)
    n_items, day = max(1, len(data.item_ids)), bought.at // DAY_MS
    visits = np.unique(bought.shopper.astype(np.int64) * _DAYS + day) // _DAYS
    if (np.bincount(visits) >= 2).sum() >= _BUYERS:
        pair = bought.shopper.astype(np.int64) * n_items + bought.item
        had = len(np.unique(pair * _DAYS + day))
        return NEXT_BASKET if 1 - len(np.unique(pair)) / had >= _REPEATS else TIME_NEW
    sessions = sessions_of(data, settings.relations.similar.session_gap_minutes)
    shoppers = len(np.unique(data.shopper))
    return SESSION_PREFIX if len(np.unique(sessions)) < _SESSIONS * shoppers else LAST_ONE


def sessions_of(data: Interactions, gap_minutes: int) -> Ints:
    """The session of each interaction: a pause longer than the gap begins another."""
    begins = np.ones(len(data), dtype=bool)
    begins[1:] = (np.diff(data.shopper) != 0) | (np.diff(data.at) > gap_minutes * 60_000)
    return np.asarray(np.cumsum(begins) - 1, dtype=np.int64)


def _days_of(data: Interactions) -> Ints:
    """A basket is a shopper's day."""
    key = data.shopper.astype(np.int64) * _DAYS + data.at // DAY_MS
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)
