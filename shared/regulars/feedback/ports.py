"""What attribution needs to remember."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from regulars.feedback.touches import OrderTouch, RecommendationClick
from regulars.metrics.counts import Counts


class Touches(Protocol):
    """Clicks on recommendations and orders, by shopper."""

    def click(self, shopper: str, click: RecommendationClick, *, expires_at: datetime) -> bool:
        """Keep the click unless this item of this recommendation was clicked before. True when this very event is the one
        kept, at every repeat too."""

    def clicks(self, shopper: str) -> Sequence[RecommendationClick]:
        """The kept clicks, oldest first; may hold some whose time is over."""

    def order(self, shopper: str, order: OrderTouch, *, expires_at: datetime) -> OrderTouch:
        """Keep the order unless one of its id is kept; the one that is kept (strongly consistent)."""

    def orders(self, shopper: str) -> Sequence[OrderTouch]:
        """The kept orders, oldest first."""

    def credit(self, shopper: str, order_id: str, message_id: str, counts: Counts) -> str:
        """Credit the order to the message and add `counts`, both or neither, unless it is credited already. The message
        it is credited to after this; "" when there is no such order."""
