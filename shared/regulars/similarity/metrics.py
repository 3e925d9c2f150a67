"""Ranking metrics with binary relevance (Järvelin & Kekäläinen, ACM TOIS 2002), per question and averaged.

NDCG@k   Σ_hits 1/log2(place + 1) / Σ_{p ≤ min(k, targets)} 1/log2(p + 1)
Recall@k hits / targets           HitRate@k  any hit           MRR@k  1 / place of the first hit, 0 beyond k
coverage@k  share of the candidates that stand in some list's first k
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regulars.similarity.interactions import Floats, Ints
from regulars.similarity.protocols import Mask, Queries

NDCG_AT, RECALL_AT, HIT_AT, MRR_AT, COVERAGE_AT = 10, 20, 10, 20, 10


def hits_of(lists: Ints, queries: Queries, n_items: int) -> Mask:
    """Whether each place of each list (questions × places, −1 for none) holds a target of its question."""
    count = len(queries)
    sizes = np.diff(queries.target_starts)
    wanted = np.unique(np.repeat(np.arange(count), sizes) * (n_items + 1) + queries.targets)
    keys = np.arange(count)[:, None] * (n_items + 1) + np.where(lists < 0, n_items, lists)
    place = np.minimum(np.searchsorted(wanted, keys), max(0, len(wanted) - 1))
    return wanted[place] == keys if len(wanted) else np.zeros(lists.shape, dtype=bool)


def distinct_targets(queries: Queries, n_items: int) -> Ints:
    """Different targets of each question."""
    owner = np.repeat(np.arange(len(queries)), np.diff(queries.target_starts))
    return np.bincount(np.unique(owner * n_items + queries.targets) // n_items, minlength=len(queries))


def ndcg(hits: Mask, targets: Ints, k: int = NDCG_AT) -> Floats:
    """NDCG@k of each question; of one without targets 0."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gained = _summed(hits[:, :k], discounts)
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(targets, k)]
    made: Floats = np.divide(gained, np.maximum(ideal, discounts[-1]))
    return made


def _summed(hits: Mask, weights: Floats) -> Floats:
    """Σ of the weights of the hit places, by question."""
    sums: Floats = np.einsum("qp,p->q", hits.astype(np.float64), weights[: hits.shape[1]])
    return sums


def recall(hits: Mask, targets: Ints, k: int = RECALL_AT) -> Floats:
    """Recall@k of each question."""
    made: Floats = _summed(hits[:, :k], np.ones(k)) / np.maximum(targets, 1)
    return made


def hit_rate(hits: Mask, k: int = HIT_AT) -> Floats:
    """HitRate@k of each question."""
    return np.where(hits[:, :k].any(axis=1), 1.0, 0.0)


def mrr(hits: Mask, k: int = MRR_AT) -> Floats:
    """Reciprocal rank of the first hit within k of each question."""
    window = hits[:, :k]
    return np.asarray(np.where(window.any(axis=1), 1 / (window.argmax(axis=1) + 1), 0.0), dtype=np.float64)


def summary(lists: Ints, queries: Queries, candidates: Mask) -> Mapping[str, float]:
    """All metrics of the lists (questions × at least 20 places), averaged over the questions."""
    n_items = len(candidates)
    hits, targets = hits_of(lists, queries, n_items), distinct_targets(queries, n_items)
    shown = lists[:, :COVERAGE_AT]
    shown = np.unique(shown[shown >= 0])
    return {
        f"recall@{RECALL_AT}": float(recall(hits, targets).mean()),
        f"ndcg@{NDCG_AT}": float(ndcg(hits, targets).mean()),
        f"hit_rate@{HIT_AT}": float(hit_rate(hits).mean()),
        f"mrr@{MRR_AT}": float(mrr(hits).mean()),
        f"coverage@{COVERAGE_AT}": len(shown) / max(1, int(candidates.sum())),
    }
