"""The operator's API, every route behind an operator key.

Other stages own their views (catalogue, rules); here they get their lock. Each part of `OperatorApi` is made, and what
it is made of is loaded, on first use: a look into the quarantine does not pay for the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regulars.access import Keys
from regulars.clock import Clock
from regulars.errors import Invalid
from regulars.operation.parsing import limit_of, parse_day
from regulars.web import Request, View

if TYPE_CHECKING:
    from regulars.capture.collecting import Collector
    from regulars.capture.ports import Quarantine
    from regulars.catalogue.importing import Importer
    from regulars.catalogue.ports import Catalogue
    from regulars.decisions.explain import Explain
    from regulars.metrics.service import Reports
    from regulars.recommendations.rulebook import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorApi:
    """What the views need; callables make their part when it is asked for."""

    keys: Keys
    clock: Clock
    catalogue: Callable[[], Catalogue]
    importer: Callable[[], Importer]
    rulebook: Callable[[], Rulebook]
    quarantine: Callable[[], Quarantine]
    collector: Callable[[], Collector]
    explain: Callable[[], Explain]
    reports: Callable[[], Reports]


OperatorView = Callable[[OperatorApi, Request], Any]


def routes(api: Callable[[], OperatorApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""
    return {route: _locked(api, view) for route, view in _VIEWS.items()}


def _locked(api: Callable[[], OperatorApi], view: OperatorView) -> View:
    def locked(request: Request) -> Any:
        parts = api()
        parts.keys.check(request)
        return view(parts, request)

    return locked


def _import_catalogue(api: OperatorApi, request: Request) -> Any:
    from regulars.catalogue.http import import_view

    return import_view(api.importer)(request)


def _show_item(api: OperatorApi, request: Request) -> Any:
    from regulars.catalogue.http import item_view

    return item_view(api.catalogue)(request)


def _read_rules(api: OperatorApi, request: Request) -> Any:
    return api.rulebook().read()


def _replace_rules(api: OperatorApi, request: Request) -> Any:
    return api.rulebook().replace(request.body)


def _list_quarantine(api: OperatorApi, request: Request) -> Any:
    from regulars.operation.quarantine import list_records

    return list_records(api.quarantine(), api.clock, request.query)


def _replay_quarantine(api: OperatorApi, request: Request) -> Any:
    from regulars.operation.quarantine import replay_records

    return replay_records(api.quarantine(), api.collector(), api.clock, request.json())


def _explain(api: OperatorApi, request: Request) -> Any:
    shopper = request.params["shopper"]
    if not shopper.startswith(("user:", "anon:")) or len(shopper) <= len("user:"):
        raise Invalid("a shopper is user:<userId> or anon:<anonymousId>", field="shopper")
    return api.explain()(shopper, limit_of(request.query.get("limit")))


def _report(api: OperatorApi, request: Request) -> Mapping[str, Any]:
    """`?day=` for one day, `?from=&to=` for several; without any, the window of the daily report ending today (UTC)."""
    day = request.query.get("day")
    first, last = request.query.get("from", day), request.query.get("to", day)
    report = api.reports().report(parse_day(first) if first else None, parse_day(last) if last else None)
    return report.to_wire()


_VIEWS: Mapping[str, OperatorView] = {
    "POST /v1/catalogue": _import_catalogue,
    "GET /v1/catalogue/{item_id}": _show_item,
    "GET /v1/rules": _read_rules,
    "PUT /v1/rules": _replace_rules,
    "GET /v1/quarantine": _list_quarantine,
    "POST /v1/quarantine/replay": _replay_quarantine,
    "GET /v1/shoppers/{shopper}/explain": _explain,
    "GET /v1/report": _report,
}
