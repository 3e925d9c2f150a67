"""What gave an item its place: the parts of its score, for `explain=true` only, since it asks every list again.

In the home scene the parts are the formula's (`regulars.similarity.recipe`): they add up to the score before rules, taste and
declared interests. In the other scenes a relation's part is how near the item is to what the scene starts from, as a share of
the nearest; the scene's own weights come after.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from regulars.recommendations.blending import Seeds, Voice, nearness
from regulars.recommendations.situation import Situation

Parts = Mapping[str, Mapping[str, float]]
"""Item id → part → its share of the score."""
_DIGITS = 4


def of_voices(voices: Sequence[Voice], among: Collection[str]) -> Parts:
    """What each voice gives each item; parts of nothing are left out."""
    found: dict[str, dict[str, float]] = {item_id: {} for item_id in among}
    for voice in voices:
        for item_id in among:
            part = round(voice.factor * voice.scores.get(item_id, 0.0), _DIGITS)
            if part:
                found[item_id][voice.name] = part
    return found


def of_nearness(situation: Situation, seeds: Seeds, among: Collection[str]) -> Parts:
    """How near each item is by every relation, as a share of the nearest."""
    names = dict.fromkeys(name for row in situation.rows.values() for name in row.relations)
    voices = []
    for name in names:
        scores = nearness(seeds, situation.rows, name)
        highest = max((score for item_id, score in scores.items() if item_id not in situation.hidden), default=0.0)
        if highest > 0:
            voices.append(Voice(name, 1.0 / highest, scores))
    return of_voices(voices, among)
