"""The four ways of asking "would it have shown the right thing?" of a log, each as a split: what may be learned from, and
questions with their answers. The evaluator splits by them, and the build's search for parameters splits by the same.

- last-one        shoppers with ≥ `min_events` events: the last is the answer; candidates are all items minus the earlier ones
- time-new        one instant cuts the log; answers are items first bought after it by a shopper known before it; candidates
                  are items with ≥ `min_buyers` buyers before it, minus those already bought
- session-prefix  sessions in order of time; every prefix of a session begun at or after the cut asks for the next item
                  that is not in it; candidates are all items minus the prefix
- next-basket     the first basket at or after the cut (within `within_days`), or everybody's last basket where there is
                  no cut; nothing is excluded, repeats count
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regulars.errors import Invalid
from regulars.similarity.interactions import PURCHASE, Interactions, Ints

LAST_ONE, TIME_NEW, SESSION_PREFIX, NEXT_BASKET = "last-one", "time-new", "session-prefix", "next-basket"
DAY_MS = 86_400_000
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """`cut_ms` None: everybody's last (last-one, next-basket), or the last `share` of events or sessions. `span_ms`: how long
    the log goes on behind the cut."""

    cut_ms: int | None = None
    min_events: int = 5
    min_buyers: int = 5
    min_baskets: int = 3
    within_days: int = 30
    share: float = 0.1
    span_ms: int = 0


@dataclass(frozen=True, slots=True)
class Queries:
    """Questions in flat arrays. History of question q: `items[starts[q]:starts[q+1]]`, oldest first, with instants `at` (ms)
    and `kinds` as in interactions; its answers: `targets[target_starts[q]:target_starts[q+1]]`. `now` is the instant of asking.
    `labels`: a shopper or session number each, `steps` the length of the prefix where there are several of one label."""

    labels: Ints
    steps: Ints
    starts: Ints
    items: Ints
    at: Ints
    kinds: Ints
    target_starts: Ints
    targets: Ints
    now: Ints
    excludes: bool

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Ints) -> Queries:
        """The questions with these numbers, in this order."""
        starts, entries = _slices(self.starts, chosen)
        target_starts, answers = _slices(self.target_starts, chosen)
        return Queries(
            self.labels[chosen],
            self.steps[chosen],
            starts,
            self.items[entries],
            self.at[entries],
            self.kinds[entries],
            target_starts,
            self.targets[answers],
            self.now[chosen],
            self.excludes,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """`learn` is what may be learned from; `candidates` says of each item whether it may be shown; `cut_ms` the instant."""

    learn: Interactions
    queries: Queries
    candidates: Mask
    cut_ms: int


def split(data: Interactions, protocol: str, settings: SplitSettings) -> Split:
    """The split; raises Invalid for an unknown protocol, or when nothing can be asked (it says why)."""
    if protocol not in PROTOCOLS:
        raise Invalid(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}", code="unknown_protocol")
    if not len(data):
        raise Invalid("the log holds no events", code="empty_log")
    return PROTOCOLS[protocol](data, settings)


def validation(made: Split, protocol: str, settings: SplitSettings, cut_ms: int | None = None) -> Split:
    """The split by which parameters are chosen: the same protocol within what the split may learn from.

    `cut_ms` None: for time-new and next-basket with a cut, as long before it as the log goes on behind it (next-basket:
    `within_days`); for session-prefix the last 5 % of the sessions that are left; else everybody's last but one.
    """
    if protocol in (LAST_ONE, NEXT_BASKET) and settings.cut_ms is None and cut_ms is None:
        fewer = replace(settings, min_events=max(2, settings.min_events - 1), min_baskets=max(1, settings.min_baskets - 1))
        return split(made.learn, protocol, fewer)
    if protocol == SESSION_PREFIX and cut_ms is None:
        return split(made.learn, protocol, replace(settings, cut_ms=None, share=0.05))
    if cut_ms is None and settings.cut_ms is not None:
        ahead = settings.within_days * DAY_MS if protocol == NEXT_BASKET else settings.span_ms
        cut_ms = settings.cut_ms - ahead if ahead else None
    return split(made.learn, protocol, replace(settings, cut_ms=cut_ms))


def earlier(made: Split, protocol: str, settings: SplitSettings, count: int) -> list[Split]:
    """Up to `count` splits before this validation split, newest first, each within what the one after it may learn from.

    Only for next-basket: its questions come again every month, and one month is a matter of chance. `settings` are those of
    the split that `made` validates."""
    found: list[Split] = []
    for _ in range(count if protocol == NEXT_BASKET else 0):
        asked = replace(settings, cut_ms=None if settings.cut_ms is None else made.cut_ms)
        try:
            made = validation(made, protocol, asked)
        except Invalid:
            break
        found.append(made)
    return found


def last_one(data: Interactions, settings: SplitSettings) -> Split:
    """See the module."""
    lengths = np.bincount(data.shopper, minlength=len(data.shopper_ids))
    ends = np.cumsum(lengths)
    chosen = np.flatnonzero(lengths >= settings.min_events)
    if not len(chosen):
        raise Invalid(f"no shopper has {settings.min_events} events", code="nothing_to_ask")
    last = ends[chosen] - 1
    learn = np.ones(len(data), dtype=bool)
    learn[last] = False
    starts, entries = _slices(np.concatenate(([0], ends)), chosen, drop_last=1)
    queries = Queries(
        chosen,
        lengths[chosen] - 1,
        starts,
        data.item[entries],
        data.at[entries],
        data.kind[entries],
        np.arange(len(chosen) + 1),
        data.item[last],
        data.at[last],
        excludes=True,
    )
    everything = np.ones(len(data.item_ids), dtype=bool)
    return Split(data.where(learn), queries, everything, int(data.at[learn].max(initial=0)) + 1)


def time_new(data: Interactions, settings: SplitSettings) -> Split:
    """See the module."""
    cut = settings.cut_ms if settings.cut_ms is not None else _quantile(data.at, 1 - settings.share)
    before = data.at < cut
    learn = data.where(before)
    buyers = distinct_shoppers(learn)
    candidates = buyers >= settings.min_buyers
    n_items = len(data.item_ids)
    known = np.unique(learn.shopper.astype(np.int64) * n_items + learn.item)
    bought = ~before & answering(data)
    later = np.unique(data.shopper[bought].astype(np.int64) * n_items + data.item[bought])
    later = later[~np.isin(later, known, assume_unique=True) & candidates[later % n_items]]
    has_past = np.bincount(learn.shopper, minlength=len(data.shopper_ids)) > 0
    later = later[has_past[later // n_items]]
    if not len(later):
        raise Invalid("nobody known before the cut buys anything new after it", code="nothing_to_ask")
    shoppers, target_starts = _grouped(later // n_items)
    return _asked(learn, shoppers, target_starts, later % n_items, candidates, cut, excludes=True)


def session_prefix(data: Interactions, settings: SplitSettings) -> Split:
    """See the module; `data.group` numbers the sessions."""
    order = np.argsort(data.group, kind="stable")
    session, first = np.unique(data.group[order], return_index=True)
    bounds = np.concatenate((first, [len(order)]))
    begun = np.minimum.reduceat(data.at[order], first)
    cut = settings.cut_ms if settings.cut_ms is not None else _quantile(begun, 1 - settings.share)
    late = np.flatnonzero(begun >= cut)
    learn = data.where(~np.isin(data.group, session[late]))
    if not len(late) or not len(learn):
        raise Invalid("no session begins before, or none after the cut", code="nothing_to_ask")
    parts = [_prefixes(data, order[bounds[n] : bounds[n + 1]]) for n in late.tolist()]
    counts = np.array([len(targets) for _, _, targets in parts])
    if not counts.sum():
        raise Invalid("no session after the cut has two different items", code="nothing_to_ask")
    sizes = np.concatenate([lengths for _, lengths, _ in parts])
    entries = np.concatenate([places for places, _, _ in parts])
    labels = np.repeat(session[late], counts)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    targets = np.concatenate([targets for _, _, targets in parts])
    now = data.at[entries[starts[1:] - 1]]
    had = data.item[entries], data.at[entries], data.kind[entries]
    queries = Queries(labels, sizes, starts, *had, np.arange(len(labels) + 1), targets, now, excludes=True)
    return Split(learn, queries, np.ones(len(data.item_ids), dtype=bool), int(cut))


def _prefixes(data: Interactions, places: Ints) -> tuple[Ints, Ints, Ints]:
    """(places of all prefixes one after the other, length of each, target of each) of one session."""
    items = data.item[places]
    new = np.zeros(len(items), dtype=bool)
    new[np.unique(items, return_index=True)[1]] = True
    fresh_at = np.flatnonzero(new)
    lengths = np.arange(1, fresh_at[-1] + 1)
    following = fresh_at[np.searchsorted(fresh_at, lengths)]
    whole = np.concatenate([places[:length] for length in lengths]) if len(lengths) else places[:0]
    return whole, lengths, items[following]


def next_basket(data: Interactions, settings: SplitSettings) -> Split:
    """See the module; `data.group` numbers the baskets."""
    at, first = _baskets(data)
    basket = answering(data)
    cut = settings.cut_ms
    if cut is None:
        last = np.full(len(data.shopper_ids), -1)
        np.maximum.at(last, data.shopper[basket], at[basket])
        asked = basket & (at == last[data.shopper])
        learn_mask = at < last[data.shopper]
    else:
        learn_mask = at < cut
        ahead = np.where(basket & (at >= cut) & (at < cut + settings.within_days * DAY_MS), at, np.iinfo(np.int64).max)
        soonest = np.full(len(data.shopper_ids), np.iinfo(np.int64).max)
        np.minimum.at(soonest, data.shopper, ahead)
        asked = basket & (at == soonest[data.shopper]) & ~learn_mask
    learn = data.where(learn_mask)
    candidates = distinct_shoppers(learn) >= settings.min_buyers
    baskets = np.bincount(data.shopper[first & learn_mask & basket], minlength=len(data.shopper_ids))
    asked &= (baskets >= settings.min_baskets)[data.shopper] & candidates[data.item]
    n_items = len(data.item_ids)
    answers = np.unique(data.shopper[asked].astype(np.int64) * n_items + data.item[asked])
    if not len(answers):
        raise Invalid(f"nobody with {settings.min_baskets} baskets has another one to be asked for", code="nothing_to_ask")
    shoppers, target_starts = _grouped(answers // n_items)
    instant = int(data.at.max()) + 1 if cut is None else cut
    made = _asked(learn, shoppers, target_starts, answers % n_items, candidates, instant, excludes=False)
    if cut is not None:
        return made
    now = np.zeros(len(data.shopper_ids), dtype=np.int64)
    now[data.shopper[asked]] = at[asked]
    return Split(made.learn, replace(made.queries, now=now[shoppers]), candidates, instant)


def _baskets(data: Interactions) -> tuple[Ints, Mask]:
    """(instant of the basket of each event, whether it is the first event of its basket)."""
    keys = data.shopper.astype(np.int64) * (int(data.group.max(initial=0)) + 2) + data.group
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    begun = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(begun, number, data.at)
    mask = np.zeros(len(data), dtype=bool)
    mask[first] = True
    return begun[number], mask


def _asked(
    learn: Interactions, shoppers: Ints, target_starts: Ints, targets: Ints, candidates: Mask, cut: int, *, excludes: bool
) -> Split:
    """Questions of shoppers with all they did before."""
    bounds = np.searchsorted(learn.shopper, np.arange(len(learn.shopper_ids) + 1))
    starts, entries = _slices(bounds, shoppers)
    steps = np.diff(starts)
    now = np.full(len(shoppers), cut, dtype=np.int64)
    had = learn.item[entries], learn.at[entries], learn.kind[entries]
    queries = Queries(shoppers, steps, starts, *had, target_starts, targets, now, excludes=excludes)
    return Split(learn, queries, candidates, int(cut))


def answering(data: Interactions) -> Mask:
    """Which events may be an answer: purchases, where there are any."""
    bought = data.kind == PURCHASE
    return bought if bought.any() else np.ones(len(data), dtype=bool)


def distinct_shoppers(data: Interactions) -> Ints:
    """Shoppers of each item."""
    n_items = len(data.item_ids)
    pairs = np.unique(data.shopper.astype(np.int64) * n_items + data.item)
    return np.bincount(pairs % n_items, minlength=n_items)


def _grouped(keys: Ints) -> tuple[Ints, Ints]:
    """(distinct keys, bounds of each) of sorted keys."""
    values, first = np.unique(keys, return_index=True)
    return values, np.concatenate((first, [len(keys)]))


def _slices(bounds: Ints, chosen: Ints, drop_last: int = 0) -> tuple[Ints, Ints]:
    """(starts, entry numbers) of the chosen slices laid one after the other."""
    lengths = bounds[chosen + 1] - bounds[chosen] - drop_last
    starts = np.concatenate(([0], np.cumsum(lengths)))
    entries = np.arange(starts[-1]) + np.repeat(bounds[chosen] - starts[:-1], lengths)
    return starts, entries


def _quantile(at: Ints, share: float) -> int:
    """The instant that has about `share` of the events before it; never the first one."""
    ordered = np.sort(at)
    cut = int(ordered[min(len(ordered) - 1, int(len(ordered) * share))])
    if cut == ordered[0]:
        raise Invalid("all events carry the same instant: there is no before and after", code="no_time")
    return cut


PROTOCOLS: Mapping[str, Callable[[Interactions, SplitSettings], Split]] = {
    LAST_ONE: last_one,
    TIME_NEW: time_new,
    SESSION_PREFIX: session_prefix,
    NEXT_BASKET: next_basket,
}
