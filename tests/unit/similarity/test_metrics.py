"""The metrics, held to trec_eval on the same lists, and to hand-made cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.similarity.metrics import distinct_targets, hit_rate, hits_of, mrr, ndcg, recall, summary
from regulars.similarity.protocols import Queries

pytrec_eval = pytest.importorskip("pytrec_eval", reason="the independent reference is not installed")
N_ITEMS = 40


def asked(targets: list[list[int]]) -> Queries:
    count = len(targets)
    nothing = np.zeros(0, dtype=np.int64)
    ends = np.concatenate(([0], np.cumsum([len(part) for part in targets]))).astype(np.int64)
    flat = np.array([item for part in targets for item in part], dtype=np.int64)
    numbers = np.arange(count)
    begins = np.zeros(count + 1, np.int64)
    return Queries(numbers, numbers, begins, nothing, nothing, nothing, ends, flat, numbers, excludes=False)


lists = st.lists(st.integers(0, N_ITEMS - 1), min_size=20, max_size=20, unique=True)
wanted = st.lists(st.integers(0, N_ITEMS - 1), min_size=1, max_size=15, unique=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(lists, wanted), min_size=1, max_size=6))
def test_figures_agree_with_trec_eval(cases: list[tuple[list[int], list[int]]]) -> None:
    shown = np.array([case[0] for case in cases])
    queries = asked([case[1] for case in cases])
    truth = {f"q{n}": {str(item): 1 for item in case[1]} for n, case in enumerate(cases)}
    run = {f"q{n}": {str(item): float(20 - place) for place, item in enumerate(case[0])} for n, case in enumerate(cases)}
    measures = {"ndcg_cut_10", "recall_20", "recip_rank", "success_10"}
    theirs = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(run)
    hits, targets = hits_of(shown, queries, N_ITEMS), distinct_targets(queries, N_ITEMS)
    ours = {
        "ndcg_cut_10": ndcg(hits, targets),
        "recall_20": recall(hits, targets),
        "recip_rank": mrr(hits),
        "success_10": hit_rate(hits),
    }
    for name, values in ours.items():
        assert values == pytest.approx([theirs[f"q{n}"][name] for n in range(len(cases))], abs=1e-6), name


def test_a_list_that_ends_early_and_a_target_named_twice() -> None:
    shown = np.array([[3, 7] + [-1] * 18])
    queries = asked([[7, 7, 9]])
    made = summary(shown, queries, np.ones(N_ITEMS, dtype=bool))
    ideal = 1 + 1 / math.log2(3)
    assert made["ndcg@10"] == pytest.approx((1 / math.log2(3)) / ideal)
    assert made["recall@20"] == pytest.approx(0.5)
    assert (made["hit_rate@10"], made["mrr@20"]) == (1.0, 0.5)
    assert made["coverage@10"] == pytest.approx(2 / N_ITEMS)
