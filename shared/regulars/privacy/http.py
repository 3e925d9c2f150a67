"""The operator's route of erasure.

DELETE /v1/shoppers/{shopper}   {"names": 2, "deleted": {"contacts": 3, "messages": 12, …}, "archive_days_pending": 4}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regulars.access import Keys
from regulars.privacy.erasure import EraseShopper
from regulars.web import Request, View


@dataclass(frozen=True, slots=True)
class PrivacyApi:
    """What the view needs."""

    keys: Keys
    erase: EraseShopper


def routes(api: Callable[[], PrivacyApi]) -> dict[str, View]:
    """Route → view; `api` is called inside the first request."""

    def erase(request: Request) -> Any:
        api().keys.check(request)
        return api().erase(request.params["shopper"]).to_wire()

    return {"DELETE /v1/shoppers/{shopper}": erase}
