"""Settings and the clock, the first thing every composition needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

from regulars import settings
from regulars.clock import Clock, clock_from

S = TypeVar("S", bound=settings.Settings)


def settings_and_clock(kind: type[S], environ: Mapping[str, str] | None) -> tuple[S, Clock]:
    """The function's settings (out of the process's environment without `environ`) and the clock they name."""
    loaded = settings.load(kind, os.environ if environ is None else environ)
    return loaded, clock_from(loaded.clock_source)
