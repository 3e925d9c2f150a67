"""Needs: the scheduled build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.needs.service import ForecastNeeds


def forecast_needs(environ: Mapping[str, str] | None = None) -> ForecastNeeds:
    """The archive and the data bucket."""
    from functools import partial

    from regulars.adapters.lambda_batch import logger
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.needs.config import NeedsSettings
    from regulars.needs.service import ForecastNeeds
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.ForecastNeeds, environ)
    storage = S3Storage(loaded.data_bucket)
    return ForecastNeeds(
        archive=partial(read, storage),
        storage=storage,
        settings=section(NeedsSettings, "needs", overrides(storage)),
        clock=clock,
        log=lambda message, facts: logger().info(message, extra={"facts": dict(facts)}),
    )
