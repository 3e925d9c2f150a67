"""Members: what the shop keeps for its loyal shoppers, bundles for those who may become loyal, wake-up offers for dormant ones.

Which of the three a shopper is follows from her segments (`members.dormant` is asked first, then `members.loyal`). Items with
the attribute `members_only` or `exclusive` are shown to members alone, here and in every other scene.
"""

from __future__ import annotations

from regulars.recommendations.blending import Seeds
from regulars.recommendations.model import Candidate
from regulars.recommendations.scenes import bundles, loyalty, waking
from regulars.recommendations.scenes.common import Scene
from regulars.recommendations.situation import Situation

LOYAL, POTENTIAL, DORMANT = "loyal", "potential", "dormant"


def group_of(situation: Situation) -> str:
    """`loyal`, `potential` or `dormant`."""
    settings, segments = situation.settings.members, situation.segments
    if not segments.isdisjoint(settings.dormant):
        return DORMANT
    return POTENTIAL if segments.isdisjoint(settings.loyal) else LOYAL


def _seeds(situation: Situation) -> Seeds:
    """Her newest items; and what sells, so that there is something to bundle for her who bought all she looked at."""
    count = situation.settings.history.items
    mine = [deed.item_id for deed in situation.deeds]
    selling = sorted(situation.popular, key=lambda item_id: (-situation.popular[item_id], item_id))
    seeds = list(dict.fromkeys((*mine[: count - count // 3], *selling[: count // 3])))
    return [(item_id, 0.9**place) for place, item_id in enumerate(seeds)]


def _members(situation: Situation, seeds: Seeds) -> list[Candidate]:
    group = group_of(situation)
    situation.notes["memberGroup"] = group
    if group == LOYAL:
        return list(loyalty.offers(situation, seeds))
    if group == DORMANT:
        return list(waking.offers(situation))
    return list(bundles.offers(situation, seeds))


SCENE = Scene(_seeds, _members, scopes=waking.scopes, extras=lambda situation: situation.notes)
