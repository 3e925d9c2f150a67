"""What `forecast_needs` learned, as it lies in the data bucket; plain values, no numpy.

builds/needs/<version>.json     the model: parameters, items that are rebought, category forecasts, what validation said
builds/needs/current.json       {"version": …}: the pointer, written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from math import isfinite
from operator import attrgetter
from typing import Any

from regulars.errors import GiveUp
from regulars.needs.expecting import Mbg
from regulars.needs.rebuying import PAIR_FEATURES, PRODUCTS, ItemFacts, Rebuying
from regulars.needs.worth import OrderValue
from regulars.storage import Storage

CURRENT_KEY = "builds/needs/current.json"
MODEL_KEY = "builds/needs/{version}.json"


@dataclass(frozen=True, slots=True)
class Return:
    """Log odds of buying within `horizon_days`, over the features of `habits`; the shop's usual days between purchases."""

    horizon_days: int
    mbg: Mbg
    intercept: float
    weights: tuple[float, ...]
    usual_gap_days: float
    chosen: str


@dataclass(frozen=True, slots=True)
class CategoryNeed:
    """Expected purchases of each day from `first_day` (ISO) on, and how good such forecasts were: 1 − WAPE of the window's
    total over the validation windows, None where nothing was bought."""

    category: str
    stable: bool
    method: str
    first_day: str
    purchases: tuple[float, ...]
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class NeedsModel:
    """`returning` and `order_value` None where too little was known to learn from; `why` then says so."""

    version: str
    built_at: datetime
    returning: Return | None
    order_value: OrderValue | None
    rebuying: Rebuying
    categories: tuple[CategoryNeed, ...]
    report: Mapping[str, Any]
    why: str = ""


def to_bytes(model: NeedsModel) -> bytes:
    """JSON; inverse of `from_bytes`."""
    returning, rebuying = model.returning, model.rebuying
    told = {
        "version": model.version,
        "built_at": model.built_at.isoformat(),
        "why": model.why,
        "returning": asdict(returning) if returning else None,
        "order_value": asdict(model.order_value) if model.order_value else None,
        "rebuying": {
            "horizon_days": rebuying.horizon_days,
            "intercept": rebuying.intercept,
            "weights": rebuying.weights,
            "usual_gap_days": rebuying.usual_gap_days,
            "trusted_gaps": rebuying.trusted_gaps,
            "items": {item: _rounded(astuple(facts)) for item, facts in rebuying.items.items()},
        },
        "categories": [asdict(category) for category in model.categories],
        "report": model.report,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def from_bytes(blob: bytes) -> NeedsModel:
    """Raises GiveUp(broken_model) for what is none."""
    try:
        told = json.loads(blob)
        again, value, rebuying = told["returning"], told["order_value"], dict(told["rebuying"])
        items = {item: ItemFacts(**dict(zip(_FACTS, facts, strict=True))) for item, facts in rebuying.pop("items").items()}
        weights = tuple(rebuying.pop("weights"))
        return NeedsModel(
            version=str(told["version"]),
            built_at=datetime.fromisoformat(told["built_at"]),
            returning=Return(**{**again, "mbg": Mbg(**again["mbg"]), "weights": tuple(again["weights"])}) if again else None,
            order_value=OrderValue(**value) if value else None,
            rebuying=_sound(Rebuying(weights=weights, items=items, **rebuying)),
            categories=tuple(
                CategoryNeed(**{**category, "purchases": tuple(category["purchases"])}) for category in told["categories"]
            ),
            report=told["report"],
            why=str(told["why"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GiveUp(f"not a model of needs: {error}"[:200], code="broken_model") from error


def publish(storage: Storage, model: NeedsModel) -> None:
    """The model, then the pointer to it."""
    storage.put(MODEL_KEY.format(version=model.version), to_bytes(model), "application/json")
    storage.put(CURRENT_KEY, json.dumps({"version": model.version}).encode(), "application/json")


def load(storage: Storage) -> NeedsModel | None:
    """The current model; None before the first build. Raises GiveUp(broken_model) when it cannot be read."""
    pointer = storage.get(CURRENT_KEY)
    return None if pointer is None else named(storage, pointer)


def named(storage: Storage, pointer: bytes) -> NeedsModel:
    """The model that a pointer names. Raises GiveUp(broken_model) when it names none, or one that cannot be read."""
    try:
        version = str(json.loads(pointer)["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise GiveUp(f"{CURRENT_KEY} names no version: {error}"[:200], code="broken_model") from error
    blob = storage.get(MODEL_KEY.format(version=version))
    if blob is None:
        raise GiveUp(f"{MODEL_KEY.format(version=version)} is missing", code="broken_model")
    return from_bytes(blob)


_FACTS = tuple(ItemFacts.__dataclass_fields__)
_values = attrgetter(*_FACTS)


def _sound(rebuying: Rebuying) -> Rebuying:
    """The same, when its formulas can be worked out; raises ValueError for numbers that are none, or as many as there are no
    features for (a model of another release)."""
    if len(rebuying.weights) not in (0, len(PAIR_FEATURES) + len(PRODUCTS)):
        raise ValueError(f"{len(rebuying.weights)} weights for {len(PAIR_FEATURES) + len(PRODUCTS)} features")
    numbers = (rebuying.intercept, *rebuying.weights)
    counts = (rebuying.usual_gap_days, *(value for facts in rebuying.items.values() for value in _values(facts)))
    if not all(map(isfinite, numbers)) or not all(isfinite(count) and count >= 0 for count in counts):
        raise ValueError("rebuying holds what is no number of its kind")
    if not isinstance(rebuying.trusted_gaps, int) or rebuying.trusted_gaps < 1:
        raise ValueError(f"trusted_gaps {rebuying.trusted_gaps!r}")
    return rebuying


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 1) for value in values]
