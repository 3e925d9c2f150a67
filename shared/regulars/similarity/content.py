"""Which items are alike by what the catalogue says of them: how new items reach the audience of their look-alikes.

An item is a sparse vector of features: words of its title, levels of its category path, brand, price level, attributes. With
df_f the items that hold feature f, out of N, and w the weight of its field,

    v_if = w_field(f) · ln(1 + N / df_f)        content_ij = Σ_f v_if · v_jf / (|v_i| · |v_j|)

(tf-idf with binary term frequency and cosine: Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008,
sections 6.2–6.3). Only pairs with at least one *new* item, one with fewer than `few_interactions`, are kept: between
well-known items behaviour says more. A new item's row names its look-alikes, and their rows name it in return, so that whoever
touched one of them may be shown it after one build.

Time and memory stay bounded in a large catalogue: of a feature that more than `champions` items hold, only the best-known
ones can be found through it ("champion lists", ibid., section 7.1.3).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.catalogue.model import Item
from regulars.catalogue.words import words
from regulars.similarity.config import ContentSettings
from regulars.similarity.kernel import Rows, TopK, top_neighbours

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Content:
    """`item_ids`: those of the interactions with their numbers, then what only the catalogue has. `neighbours` has those
    numbers. `counts` says how many items could be compared, how many say nothing of themselves, and what came of it."""

    item_ids: tuple[str, ...]
    neighbours: TopK
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Features:
    """Entries (feature, item, value) sorted by feature, values divided by the item's length."""

    feature: Ints
    item: Ints
    value: Floats
    described: Flags


def content_neighbours(items: Mapping[str, Item], item_ids: Sequence[str], support: Ints, settings: ContentSettings) -> Content:
    """`support[n]` are the interactions of `item_ids[n]`. Items that are not active are no neighbours; those without title,
    category, brand, price and attributes, or not in the catalogue, neither have nor are any, which is counted."""
    known = set(item_ids)
    union = (*item_ids, *(item_id for item_id in items if item_id not in known))
    heard = np.concatenate((np.asarray(support, dtype=np.int64), np.zeros(len(union) - len(item_ids), dtype=np.int64)))
    features = _features(union, items, settings)
    active = np.array([item_id in items and bool(items[item_id].active) for item_id in union], dtype=bool)
    new = active & features.described & (heard < settings.few_interactions)
    found = _nearest(features, new, active & features.described, heard, settings)
    linked = _both_ways(found, new, settings.new_per_item)
    named = np.zeros(len(union), dtype=bool)
    named[linked.items] = True
    counts = {
        "content_items": int(features.described.sum()),
        "content_bare": int(sum(not features.described[n] for n, item_id in enumerate(union) if item_id in items)),
        "content_new": int(new.sum()),
        "content_new_reached": int((new & named).sum()),
        "content_pairs": len(linked.items),
    }
    return Content(union, linked, counts)


def widened(top: TopK, count: int) -> TopK:
    """The same lists for `count` items, of which those beyond the known ones have none."""
    missing = count - (len(top.starts) - 1)
    return TopK(np.concatenate((top.starts, np.full(missing, top.starts[-1]))), top.items, top.scores)


def features_of(item: Item, settings: ContentSettings) -> Iterator[tuple[str, float]]:
    """(feature, weight of its field); a price that is absent or no number gives none."""
    weights = settings.weights
    for word in words(item.title):
        yield f"title {word}", weights.get("title", 0.0)
    levels = [level for level in item.category.split("/") if level]
    for depth in range(len(levels)):
        yield f"category {'/'.join(levels[: depth + 1])}", weights.get("category", 0.0)
    if item.brand:
        yield f"brand {item.brand.casefold()}", weights.get("brand", 0.0)
    price = item.price_cents
    if price > 0 and math.isfinite(price):
        yield f"price {item.currency} {round(math.log(price, settings.price_step))}", weights.get("price", 0.0)
    for name, text in item.attributes.items():
        if name not in settings.attributes_ignored and text:
            yield f"{name} {text.casefold()}", weights.get(name, weights.get("attributes", 0.0))


def _features(union: Sequence[str], items: Mapping[str, Item], settings: ContentSettings) -> _Features:
    numbers: dict[str, int] = {}
    feature, item, weight = array("q"), array("q"), array("d")
    for number, item_id in enumerate(union):
        if item_id not in items:
            continue
        for text, field_weight in dict(features_of(items[item_id], settings)).items():
            if field_weight > 0:
                feature.append(numbers.setdefault(text, len(numbers)))
                item.append(number)
                weight.append(field_weight)
    features, holders = np.array(feature, dtype=np.int64), np.array(item, dtype=np.int64)
    spread = np.bincount(features, minlength=len(numbers))
    described = np.zeros(len(union), dtype=bool)
    described[holders] = True
    value = np.array(weight) * np.log1p(described.sum() / spread[features])
    length = np.sqrt(np.bincount(holders, value**2, len(union)))
    value = value / length[holders]
    order = np.lexsort((holders, features))
    # A feature of one item alone makes its vector longer, and finds nobody.
    order = order[spread[features[order]] > 1]
    return _Features(features[order], holders[order], value[order], described)


def _nearest(features: _Features, new: Flags, target: Flags, heard: Ints, settings: ContentSettings) -> TopK:
    """The look-alikes of every new item."""
    size = len(features.feature)
    bounds = np.flatnonzero(np.concatenate(([True], np.diff(features.feature) != 0, [True]))) if size else np.zeros(1, np.int64)
    left = Rows(bounds.astype(np.int64), features.item, features.value)
    best_known = np.lexsort((-heard[features.item], features.feature))
    place = np.empty(size, dtype=np.int64)
    place[best_known] = np.arange(size) - np.repeat(bounds[:-1], np.diff(bounds))
    within = (place < settings.champions) & target[features.item]
    kept = np.concatenate(([0], np.cumsum(within)))[bounds]
    right = Rows(kept.astype(np.int64), features.item[within], features.value[within])
    found = top_neighbours(left, right, new.astype(np.float64), target.astype(np.float64), settings.keep)
    alike = found.scores >= settings.least
    starts = np.concatenate(([0], np.cumsum(alike)))[found.starts].astype(np.int64)
    return TopK(starts, found.items[alike], found.scores[alike])


def _both_ways(found: TopK, new: Flags, new_per_item: int) -> TopK:
    """What was found, and for each well-known item the `new_per_item` new ones that are most like it."""
    source = np.repeat(np.arange(len(new), dtype=np.int64), np.diff(found.starts))
    back = ~new[found.items]
    sources, targets, scores = found.items[back], source[back], found.scores[back]
    order = np.lexsort((targets, -scores, sources))
    sources, targets, scores = sources[order], targets[order], scores[order]
    first = np.searchsorted(sources, sources)
    short = np.arange(len(sources)) - first < new_per_item
    every = np.concatenate((source, sources[short]))
    others, values = np.concatenate((found.items, targets[short])), np.concatenate((found.scores, scores[short]))
    order = np.lexsort((others, -values, every))
    starts = np.searchsorted(every[order], np.arange(len(new) + 1)).astype(np.int64)
    return TopK(starts, others[order], values[order])
