"""What new items gain by content and exploration, and what that costs: a replay of a real log.

    python tests/bench/bench_new_items.py LINES.parquet [--until 2011-11-07] [--weeks 6] [--queries 300] [--seed 7]

LINES is Online Retail II (UCI, Daqing Chen, CC BY 4.0: invoice, item, desc, qty, ts, price, user, country).

Every Monday of the weeks before `--until` the relations, the content relation and the popularity rows are
built on everything sold before; shoppers who buy in the week that follows are asked for their home list (ten places) at the
moment of their first order in it, through the same `Recommend` that the API function runs. An item counts as listed a week
before it was first sold (the log tells of no listings) and as new for four weeks. For every variant:

    hit, ndcg      of the items she buys in that week and had not bought before, over all queries
    won/lost       queries that hit only with the variant, and only without
    new share      of the places that went to new items
    reached        new items that stood in at least one list, of those that were new in any of the weeks
    in a week      those that did within eight days of being listed: at the first chance after the first build
    hits on new    places that went to a new item she did buy
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "shared")]

import numpy as np  # noqa: E402
import pyarrow.parquet as parquet  # noqa: E402
from tqdm import tqdm  # noqa: E402

from regulars.adapters.memory.catalogue import MemoryCatalogue  # noqa: E402
from regulars.adapters.memory.models import MemoryModels  # noqa: E402
from regulars.adapters.memory.sources import MemorySources  # noqa: E402
from regulars.catalogue.model import Item  # noqa: E402
from regulars.catalogue.snapshot import Snapshot  # noqa: E402
from regulars.clock import from_ms, to_ms  # noqa: E402
from regulars.profiles.model import Profile  # noqa: E402
from regulars.recommendations.config import RecommendationSettings  # noqa: E402
from regulars.recommendations.model import Ask  # noqa: E402
from regulars.recommendations.service import Recommend  # noqa: E402
from regulars.shop import section  # noqa: E402
from regulars.similarity.config import SimilaritySettings  # noqa: E402
from regulars.similarity.content import content_neighbours, widened  # noqa: E402
from regulars.similarity.interactions import PURCHASE, Interactions  # noqa: E402
from regulars.similarity.model import CONTENT, NEW_ARRIVALS, Neighbours, Pointer, Popularity  # noqa: E402
from regulars.similarity.popularity import rank  # noqa: E402
from regulars.similarity.relations import build_relations, support  # noqa: E402
from regulars.similarity.trials import Watching, on_trial  # noqa: E402

DAY_MS = 86_400_000
LISTED_BEFORE, NEW_FOR = timedelta(days=7), timedelta(days=28)
PLACES = 10
SIMILARITY = section(SimilaritySettings, "similarity")
SERVING = section(RecommendationSettings, "recommendations")


@dataclass
class Log:
    """Purchases sorted by shopper, instant, item; `at` epoch ms. `titles` and `prices` by item number."""

    shopper: Any
    item: Any
    at: Any
    group: Any
    shoppers: tuple[str, ...]
    items: tuple[str, ...]
    titles: list[str]
    prices: list[int]
    countries: Mapping[str, str]

    def before(self, moment: datetime, others: Any = None) -> Interactions:
        """What was bought before, of all shoppers or of those where `others` is true."""
        mask = self.at < to_ms(moment)
        if others is not None:
            mask &= others[self.shopper]
        kind = np.full(int(mask.sum()), PURCHASE, dtype=np.int64)
        columns = (self.shopper[mask], self.item[mask], kind, self.at[mask], self.group[mask])
        return Interactions(*columns, self.shoppers, self.items, self.countries)


def online_retail(path: str) -> Log:
    """The cleaned log, as in the protocols: known users, positive lines, stock codes of five digits, no cancellations."""
    table = parquet.read_table(path).to_pydict()
    rows: dict[tuple[str, str, str], int] = {}
    titles: dict[str, str] = {}
    prices: dict[str, list[int]] = defaultdict(list)
    countries: dict[str, str] = {}
    names = ("invoice", "item", "desc", "qty", "ts", "price", "user", "country")
    for invoice, item, desc, quantity, ts, price, user, country in zip(*(table[name] for name in names), strict=True):
        if not user or quantity <= 0 or price <= 0 or not item[:5].isdigit() or invoice.startswith("C"):
            continue
        item_id, shopper = item.upper(), f"user:{int(user)}"
        rows.setdefault((shopper, invoice, item_id), to_ms(ts.replace(tzinfo=UTC)))
        if desc:
            titles.setdefault(item_id, desc.strip().title())
        prices[item_id].append(round(price * 100))
        countries[shopper] = country.upper()
    return read_log(
        ((shopper, invoice, item_id, at) for (shopper, invoice, item_id), at in rows.items()),
        titles,
        {item_id: int(statistics.median(known)) for item_id, known in prices.items()},
        countries,
    )


def read_log(
    rows: Iterable[tuple[str, str, str, int]],
    titles: Mapping[str, str] = MappingProxyType({}),
    prices: Mapping[str, int] = MappingProxyType({}),
    countries: Mapping[str, str] = MappingProxyType({}),
) -> Log:
    """The log of (shopper, order, item, epoch ms)."""
    entries = sorted(rows, key=lambda row: (row[0], row[3], row[2]))
    shoppers, shopper = _numbered([row[0] for row in entries])
    _, group = _numbered([row[1] for row in entries])
    items, item = _numbered([row[2] for row in entries])
    at = np.array([row[3] for row in entries], dtype=np.int64)
    named = [titles.get(item_id, item_id) for item_id in items]
    return Log(shopper, item, at, group, shoppers, items, named, [prices.get(item_id, 0) for item_id in items], countries)


def _numbered(texts: Sequence[str]) -> tuple[tuple[str, ...], Any]:
    """(distinct texts in order, number of each)."""
    distinct = tuple(sorted(set(texts)))
    number = {text: n for n, text in enumerate(distinct)}
    return distinct, np.array([number[text] for text in texts], dtype=np.int64)


@dataclass
class Shop:
    """What serves: `Recommend` over memory adapters, with rows that a variant may leave out."""

    snapshot: Snapshot
    popularity: Sequence[Popularity]
    relations: Mapping[str, Mapping[str, tuple[tuple[str, float], ...]]] = field(default_factory=dict)

    def recommend(self, settings: RecommendationSettings, known: Mapping[str, Profile], clock: list[datetime]) -> Recommend:
        """The use case; time is `clock[0]`."""
        models = MemoryModels()
        models.write("1", (Neighbours(item_id, rows, None) for item_id, rows in self.relations.items()))
        models.flip(Pointer(version="1", built_at=clock[0]), None)
        models.put_popularity(self.popularity)
        sources = MemorySources(_Profiles(known), models, MemoryCatalogue(()))
        return Recommend(sources, lambda: self.snapshot, settings, lambda: clock[0], lambda message, facts: None)


@dataclass
class _Profiles:
    known: Mapping[str, Profile]

    def load(self, shopper: str, now: datetime) -> Profile:
        return self.known.get(shopper) or Profile(shopper=shopper, as_of=now)


@dataclass
class Query:
    """One shopper's question at `at`; `wanted` is what she bought then and had not before."""

    shopper: str
    at: datetime
    profile: Profile
    wanted: frozenset[str]


@dataclass
class Tally:
    """Sums of one variant."""

    hits: list[bool] = field(default_factory=list)
    gain: float = 0.0
    places: int = 0
    new_places: int = 0
    new_hits: int = 0
    first_shown: dict[str, float] = field(default_factory=dict)

    def add(self, shown: Sequence[str], query: Query, ages: Mapping[str, float]) -> None:
        """One list; `ages` maps new items to days since they were listed."""
        gains = [1 / np.log2(place + 2) for place, item_id in enumerate(shown) if item_id in query.wanted]
        ideal = sum(1 / np.log2(place + 2) for place in range(min(PLACES, len(query.wanted))))
        self.hits.append(bool(gains))
        self.gain += sum(gains) / ideal
        self.places += len(shown)
        for item_id in shown:
            if item_id in ages:
                self.new_places += 1
                self.new_hits += item_id in query.wanted
                self.first_shown[item_id] = min(ages[item_id], self.first_shown.get(item_id, ages[item_id]))


def variants() -> dict[str, tuple[float, float]]:
    """Name → (weight of content in home's formula, share of explored places)."""
    share = SERVING.exploration.share
    return {
        "nothing": (0.0, 0.0),
        "content .3": (0.3, 0.0),
        "content .6": (0.6, 0.0),
        "content 1": (1.0, 0.0),
        f"exploration {share:.0%}": (0.0, share),
        f"exploration {2 * share:.0%}": (0.0, 2 * share),
        f"content .3, exploration {share:.0%}": (0.3, share),
        f"content .6, exploration {share:.0%}": (0.6, share),
    }


def replay(log: Log, until: datetime, weeks: int, queries: int, seed: int) -> tuple[dict[str, Tally], list[str]]:
    """Tallies by variant, and the items that were new in any week."""
    first_sold = np.full(len(log.items), np.iinfo(np.int64).max)
    np.minimum.at(first_sold, log.item, log.at)
    listed = {item_id: from_ms(int(at)) - LISTED_BEFORE for item_id, at in zip(log.items, first_sold, strict=True)}
    tallies = {name: Tally() for name in variants()}
    everything_new: set[str] = set()
    for week in tqdm(range(weeks, 0, -1), unit="week", disable=None):
        monday = until - week * timedelta(days=7)
        shop, new = built(log, listed, monday)
        everything_new |= new
        asked = list(questions(log, monday, queries, seed))
        known = {query.shopper: query.profile for query in asked}
        clock = [monday]
        for name, (weight, share) in variants().items():
            settings = _settings(weight, share)
            recommend = shop.recommend(settings, known, clock)
            for query in asked:
                clock[0] = query.at
                answer = recommend(Ask(scene="home", shopper=query.shopper, limit=PLACES))
                ages = {item_id: (query.at - listed[item_id]).total_seconds() / 86_400 for item_id in new}
                tallies[name].add([placed.item.item_id for placed in answer.items], query, ages)
            clock[0] = monday
    return tallies, sorted(everything_new)


def built(log: Log, listed: Mapping[str, datetime], monday: datetime) -> tuple[Shop, set[str]]:
    """The shop as built on Monday, and its new items."""
    data = log.before(monday)
    rows = [
        Item(item_id=item_id, title=title, price_cents=price, list_price_cents=price, currency="GBP", listed_at=listed[item_id])
        for item_id, title, price in zip(log.items, log.titles, log.prices, strict=True)
        if listed[item_id] <= monday
    ]
    items = {item.item_id: item for item in rows}
    heard = support(data)
    content = content_neighbours(items, log.items, heard, SIMILARITY.content)
    relations = {**build_relations(data, SIMILARITY, monday), CONTENT: content.neighbours}
    relations = {name: widened(top, len(content.item_ids)) for name, top in relations.items()}
    named: dict[str, dict[str, tuple[tuple[str, float], ...]]] = defaultdict(dict)
    for name, top in relations.items():
        for number, item_id in enumerate(content.item_ids):
            others, scores = top.of(number)
            if len(others):
                ids = (content.item_ids[other] for other in others.tolist())
                named[item_id][name] = tuple(zip(ids, scores.tolist(), strict=True))
    popularity = rank(data, items, SIMILARITY.popularity, monday)
    watching = Watching(SIMILARITY.popularity, monday)
    since = to_ms(monday - timedelta(days=SIMILARITY.popularity.new_arrival_days))
    watching.wants.update(log.items[number] for number in data.item[data.at >= since].tolist())
    arrivals = next(row for row in popularity if row.scope == NEW_ARRIVALS)
    popularity.append(on_trial(arrivals, items, watching, SIMILARITY.popularity.trials, monday))
    new = {item_id for item_id, item in items.items() if item.listed_at and monday - item.listed_at < NEW_FOR}
    return Shop(Snapshot((), "1").with_items(rows), popularity, named), new


def questions(log: Log, monday: datetime, most: int, seed: int) -> Iterator[Query]:
    """Shoppers who come back in the week, at most `most`, drawn by the seed."""
    begin, end = to_ms(monday), to_ms(monday + timedelta(days=7))
    coming = np.unique(log.shopper[(log.at >= begin) & (log.at < end)])
    for shopper in np.random.default_rng([seed, begin // DAY_MS]).permutation(coming)[:most]:
        part = slice(*np.searchsorted(log.shopper, [shopper, shopper + 1]))
        items, at = log.item[part], log.at[part]
        days: dict[str, set[date]] = defaultdict(set)
        for number, moment in zip(items[at < begin], at[at < begin], strict=True):
            days[log.items[number]].add(from_ms(int(moment)).date())
        wanted = {log.items[number] for number in items[(at >= begin) & (at < end)]} - days.keys()
        if days and wanted:
            name, when = log.shoppers[shopper], from_ms(int(at[at >= begin].min()))
            purchases = {item_id: tuple(sorted(known)) for item_id, known in days.items()}
            profile = Profile(shopper=name, as_of=when, purchases=purchases, traits={"country": log.countries[name]})
            yield Query(name, when, profile, frozenset(wanted))


def _settings(content: float, share: float) -> RecommendationSettings:
    home = (
        {**SERVING.blend.home, CONTENT: content} if content else {k: v for k, v in SERVING.blend.home.items() if k != CONTENT}
    )
    return replace(SERVING, blend=replace(SERVING.blend, home=home), exploration=replace(SERVING.exploration, share=share))


def told(tallies: Mapping[str, Tally], new: Sequence[str]) -> list[dict[str, Any]]:
    """A row per variant."""
    base = tallies["nothing"]
    rows = []
    for name, tally in tallies.items():
        rows.append(
            {
                "variant": name,
                "queries": len(tally.hits),
                "hit@10": round(sum(tally.hits) / len(tally.hits), 4),
                "ndcg@10": round(tally.gain / len(tally.hits), 4),
                "hit cost %": round(100 * (1 - sum(tally.hits) / sum(base.hits)), 2),
                "won/lost": f"{_more(tally.hits, base.hits)}/{_more(base.hits, tally.hits)}",
                "ndcg cost %": round(100 * (1 - tally.gain / base.gain), 2),
                "new share %": round(100 * tally.new_places / tally.places, 2),
                "reached": f"{len(tally.first_shown)}/{len(new)}",
                "in a week": sum(days <= 8 for days in tally.first_shown.values()),
                "hits on new": tally.new_hits,
            }
        )
    return rows


def _more(one: Sequence[bool], other: Sequence[bool]) -> int:
    """Queries in which one hits and the other does not."""
    return sum(mine and not others for mine, others in zip(one, other, strict=True))


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([str(row[name]) for name in head] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Parse, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines")
    parser.add_argument("--until", type=lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC), default="2011-11-07")
    parser.add_argument("--weeks", type=int, default=6)
    parser.add_argument("--queries", type=int, default=300, help="at most so many a week")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    rows = told(*replay(online_retail(options.lines), options.until, options.weeks, options.queries, options.seed))
    print(table(rows))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
