"""Telling of what goes on for long: once a minute, not at every call. An alarm needs to know that it is so, not how often, and
a line of log a call costs more than the call's reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")
_SECONDS = 60.0


def rarely(tell: Callable[P, None], now: Callable[[], float] = time.monotonic) -> Callable[P, None]:
    """`tell`, but for the same first argument not again within a minute. What else is told then is lost."""
    told: dict[object, float] = {}

    @wraps(tell)
    def telling(*args: P.args, **named: P.kwargs) -> None:
        subject, at = args[0] if args else None, now()
        if subject not in told or at - told[subject] >= _SECONDS:
            told[subject] = at
            tell(*args, **named)

    return telling
