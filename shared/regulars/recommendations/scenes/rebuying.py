"""Repurchase: what is due for this shopper, each with a companion."""

from __future__ import annotations

from regulars.recommendations.blending import Seeds
from regulars.recommendations.model import Candidate
from regulars.recommendations.repurchase import dues
from regulars.recommendations.repurchase import seeds as repurchase_seeds
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation
from regulars.similarity.model import TOGETHER


def _repurchase_seeds(situation: Situation) -> Seeds:
    settings, today = situation.settings, situation.now.date()
    best = repurchase_seeds(situation.profile, settings.repurchase, today, settings.history.items)
    return [(item_id, 1.0) for item_id in best]


def _repurchase(situation: Situation, seeds: Seeds) -> list[Candidate]:
    """Due items first, each followed by its best companion; then what comes due later."""
    found = dues(situation.profile, situation.rows, situation.settings.repurchase, situation.now.date())
    found = [due for due in found if situation.available(due.item_id) and due.item_id not in situation.cart]
    candidates = []
    for rank, due in enumerate(sorted(found, key=lambda due: not due.is_due)):
        score = (2.0 if due.is_due else 1.0) - rank / (len(found) + 1)
        details = {"gap_days": round(due.gap_days), "last": due.last.isoformat(), "due_in_days": round(due.due_in_days)}
        code = "due_again" if due.is_due else "due_soon"
        candidates.append(Candidate(due.item_id, score, code, (due.item_id,), details))
        if due.is_due:
            row, taken = situation.rows.get(due.item_id), {candidate.item_id for candidate in candidates}
            for other, _ in row.relations.get(TOGETHER, ()) if row else ():
                if situation.fresh(other) and other not in taken:
                    candidates.append(Candidate(other, score - 0.5 / (len(found) + 1), "companion_of", (due.item_id,)))
                    break
    return candidates


SCENE = Scene(_repurchase_seeds, _repurchase)
