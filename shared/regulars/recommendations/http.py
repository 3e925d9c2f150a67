"""The views: recommendations for apps, rules for operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from regulars.access import Keys
from regulars.catalogue.validation import normalise_category
from regulars.clock import zone_named
from regulars.errors import Invalid, NotFound
from regulars.recommendations.model import SCENES, Ask
from regulars.recommendations.rulebook import Rulebook
from regulars.recommendations.service import Recommend
from regulars.recommendations.spelling import to_text
from regulars.similarity.contexts import DEVICE_KINDS, device_kind
from regulars.web import Reply, Request, View, whole_number

_MAX_ID_CHARS = 256
_MAX_LIST = 200


@dataclass(frozen=True, slots=True)
class RecommendationsApi:
    """Who may ask, and who answers."""

    keys: Keys
    recommend: Recommend

    def answer(self, request: Request) -> Reply:
        """One request; Basic or Bearer write key."""
        self.keys.check(request)
        ask = parse_ask(request.params["scene"], request.query, self.recommend.settings.max_limit)
        return Reply(200, to_text(self.recommend(ask), ask))


def routes(api: Callable[[], RecommendationsApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""
    return {"GET /v1/recommendations/{scene}": lambda request: api().answer(request)}


def rules_view(book: Callable[[], Rulebook]) -> View:
    """`GET /v1/rules`."""
    return lambda request: book().read()


def put_rules_view(book: Callable[[], Rulebook]) -> View:
    """`PUT /v1/rules`: a YAML or JSON document."""
    return lambda request: book().replace(request.body)


def parse_ask(scene: str, query: Mapping[str, str], max_limit: int) -> Ask:
    """The question in a query string; raises NotFound for an unknown scene, Invalid for a bad parameter."""
    if scene not in SCENES:
        raise NotFound(f"no scene {scene!r}; there are {', '.join(SCENES)}"[:200], code="unknown_scene")
    user, anonymous = _id(query, "userId"), _id(query, "anonymousId")
    return Ask(
        scene=scene,
        shopper=f"user:{user}" if user else f"anon:{anonymous}" if anonymous else "",
        item_id=_id(query, "itemId"),
        cart=_ids(query, "cart") if "cart" in query else None,
        cart_cents=whole_number(query, "cartCents", None, 0, 10**13),
        limit=whole_number(query, "limit", 10, 1, max_limit),
        exclude=frozenset(_ids(query, "exclude")),
        category=normalise_category(query["category"][:_MAX_ID_CHARS]) if "category" in query else "",
        country=_country(query),
        language=query.get("locale", "")[:35],
        explain=query.get("explain", "").lower() in ("true", "1"),
        device=_device(query),
        time_zone=_time_zone(query),
        list_id=_list_id(query, scene),
    )


def _id(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if value and (len(value) > _MAX_ID_CHARS or not value.isprintable()):
        raise Invalid(f"{name} is too long or holds control characters", field=name, code="invalid_id")
    return value


def _list_id(query: Mapping[str, str], scene: str) -> str:
    value = _id(query, "list")
    if value and scene != "trending":
        raise Invalid("lists are shown by the scene trending", field="list", code="invalid_list")
    return value


def _ids(query: Mapping[str, str], name: str) -> tuple[str, ...]:
    told = query.get(name, "")
    if not told:
        return ()
    entries = [entry.strip() for entry in told.split(",")]
    if len(entries) > _MAX_LIST:
        raise Invalid(f"{name} names more than {_MAX_LIST} items", field=name, code="too_many_items")
    if any(len(entry) > _MAX_ID_CHARS or not entry.isprintable() for entry in entries):
        raise Invalid(f"{name} holds an id that is too long or has control characters", field=name, code="invalid_id")
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def _country(query: Mapping[str, str]) -> str:
    value = query.get("country", "")
    if value and not (value.isprintable() and len(value) <= 60):
        raise Invalid("country must be a short text", field="country", code="invalid_country")
    return value.upper()


def _device(query: Mapping[str, str]) -> str:
    value = query.get("device", "")
    if not value:
        return ""
    kind = device_kind(value[:_MAX_ID_CHARS])
    if not kind:
        raise Invalid(f"device must be one of {', '.join(DEVICE_KINDS)}", field="device", code="invalid_device")
    return kind


def _time_zone(query: Mapping[str, str]) -> str:
    value = query.get("timezone", "")
    if value and (len(value) > 60 or zone_named(value) is None):
        raise Invalid("timezone must be an IANA name such as Asia/Shanghai", field="timezone", code="invalid_time_zone")
    return value
