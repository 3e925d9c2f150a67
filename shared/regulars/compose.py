"""The composition root: what each function is made of, built inside its first call and only then.

One function here per entry of `flow.py`, same name. Imports stay inside, so that a function loads only what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

from regulars import settings
from regulars.clock import Clock, clock_from

S = TypeVar("S", bound=settings.Settings)


def _load(kind: type[S], environ: Mapping[str, str] | None) -> tuple[S, Clock]:
    loaded = settings.load(kind, os.environ if environ is None else environ)
    return loaded, clock_from(loaded.clock_source)
