"""DynamoDB's transactions, in whose way others are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from regulars.errors import TryLater


def contended(times: int) -> Callable[..., None]:
    """`transact` that meets another transaction `times` times before it goes through."""
    from regulars.adapters.dynamodb.transactions import transact

    others = iter([True] * times)

    def transacting(entries: Sequence[tuple[str, Any]], *, token: str) -> None:
        if next(others, False):  # TransactionConflict
            raise TryLater("transaction cancelled", code="cancelled")
        transact(entries, token=token)

    return transacting
