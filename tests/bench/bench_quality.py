"""Recommendation quality on open data, beside the libraries, one run, one table.

    python tests/bench/bench_quality.py [retail] [groceries] [--json FILE]

Ours: `regulars evaluate` with its own defaults, nothing tuned by hand. Peers, on the same split and the same questions, as
shipped: implicit's Cosine, BM25 and ALS (64 factors), popularity of all time and of the last 7 days; for groceries also each
household's own most frequent. Targets: NDCG@10 of at least .120 (Online Retail II) and .250 (Complete Journey).
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared"), str(ROOT / "infra" / "ops")]

import numpy as np  # noqa: E402
from tests.support.open_data import complete_journey, online_retail  # noqa: E402

from regulars.shop import section  # noqa: E402
from regulars.similarity.config import SimilaritySettings  # noqa: E402
from regulars.similarity.metrics import summary  # noqa: E402
from regulars.similarity.protocols import DAY_MS, NEXT_BASKET, TIME_NEW, Split, SplitSettings, split  # noqa: E402
from regulars_ops.evaluate import PLACES, evaluate, instant  # noqa: E402
from regulars_ops.logs import log_of  # noqa: E402
from regulars_ops.tables import read_table  # noqa: E402

Lists = Iterator[tuple[str, Callable[[], Any]]]
CASES = {
    "retail": ("Online Retail II", online_retail, TIME_NEW, "2011-11-01", "2011-10-01", 5, 0.120),
    "groceries": ("Complete Journey", complete_journey, NEXT_BASKET, "2017-12-01", "2017-11-01", 10, 0.250),
}


def peers(made: Split, *, repeats: bool) -> Lists:
    """(name, what makes its lists)."""
    learn, n_items = made.learn, len(made.candidates)

    def popular(days: float | None) -> Any:
        mask = learn.at >= (made.cut_ms - days * DAY_MS if days else 0)
        pairs = np.unique(learn.shopper[mask].astype(np.int64) * n_items + learn.item[mask])
        order = np.argsort(-np.bincount(pairs % n_items, minlength=n_items), kind="stable")
        return _without(made, np.tile(order[:2000], (len(made.queries), 1)), repeats=repeats)

    yield "popular, all time", lambda: popular(None)
    yield "popular, 7 days", lambda: popular(7)
    if repeats:
        yield "own most frequent", lambda: _own(made)
    try:
        import scipy.sparse as sparse
        from implicit.als import AlternatingLeastSquares
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
    except ImportError as error:
        print(f"SKIPPED implicit: {error}; `make bench` installs it", file=sys.stderr)
        return
    shape = (len(learn.shopper_ids), n_items)
    matrix = sparse.csr_matrix((np.ones(len(learn), np.float32), (learn.shopper, learn.item)), shape=shape)
    matrix.data[:] = 1.0
    for name, model in (
        ("implicit Cosine", CosineRecommender(K=100)),
        ("implicit BM25", BM25Recommender(K=100)),
        ("implicit ALS 64", AlternatingLeastSquares(factors=64, random_state=1)),
    ):
        yield name, lambda model=model: _implicit(made, model, matrix, repeats=repeats)


def _without(made: Split, orders: Any, *, repeats: bool) -> Any:
    """The first candidates of each order that the shopper does not have."""
    lists = np.full((len(made.queries), PLACES), -1, dtype=np.int64)
    for number in range(len(made.queries)):
        had = made.queries.items[made.queries.starts[number] : made.queries.starts[number + 1]]
        order = orders[number][made.candidates[orders[number]]]
        shown = (order if repeats else order[~np.isin(order, had)])[:PLACES]
        lists[number, : len(shown)] = shown
    return lists


def _own(made: Split) -> Any:
    lists = np.full((len(made.queries), PLACES), -1, dtype=np.int64)
    for number in range(len(made.queries)):
        had = made.queries.items[made.queries.starts[number] : made.queries.starts[number + 1]]
        items, counts = np.unique(had[made.candidates[had]], return_counts=True)
        shown = items[np.argsort(-counts, kind="stable")][:PLACES]
        lists[number, : len(shown)] = shown
    return lists


def _implicit(made: Split, model: Any, matrix: Any, *, repeats: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)
        users = made.queries.labels
        closed = np.flatnonzero(~made.candidates)
        asked = {"filter_already_liked_items": not repeats, "filter_items": closed}
        items, _ = model.recommend(users, matrix[users], N=PLACES, **asked)
    return items.astype(np.int64)


def bench(case: str, folder: Path) -> list[dict[str, Any]]:
    """The rows of one data set; empty where its data is missing, which is said."""
    title, load, protocol, cut, before, buyers, target = CASES[case]
    file = load(folder)
    if file is None:
        print(f"SKIPPED {title}: its data is not on this machine", file=sys.stderr)
        return []
    log = log_of(read_table(file), protocol)
    span = int(log.data.at.max()) + 1 - instant(cut)
    asked = SplitSettings(cut_ms=instant(cut), min_buyers=buyers, span_ms=span)
    made = split(log.data, protocol, asked)
    rows = []
    for name, lists_of in peers(made, repeats=protocol == NEXT_BASKET):
        begun = perf_counter()
        lists = lists_of()
        figures = summary(lists, made.queries, made.candidates)
        rows.append({"data": title, "method": name, "seconds": perf_counter() - begun, **figures})
    ours = evaluate(log, protocol, asked, section(SimilaritySettings, "similarity", {}), instant(before))
    rows.append({"data": title, "method": "regulars", "seconds": ours.fit_seconds, **ours.metrics, "target": target})
    rows[-1]["recipe"] = ours.chosen["recipe"]
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"any of {', '.join(CASES)}; all when none is named")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = [row for case in chosen.cases or CASES for row in bench(case, ROOT / ".local" / "bench")]
    print(
        f"{'data':18} {'method':20} {'Recall@20':>9} {'NDCG@10':>8} {'HitRate@10':>10} {'MRR@20':>7} {'coverage':>8} {'s':>6}"
    )
    for row in rows:
        figures = f"{row['recall@20']:9.3f} {row['ndcg@10']:8.3f} {row['hit_rate@10']:10.3f} {row['mrr@20']:7.3f}"
        goal = (
            f"  target {row['target']:.3f}: {'reached' if row['ndcg@10'] >= row['target'] else 'MISSED'}"
            if "target" in row
            else ""
        )
        print(f"{row['data']:18} {row['method']:20} {figures} {row['coverage@10']:8.3f} {row['seconds']:6.1f}{goal}")
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
