"""Privacy: retention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.privacy.retention import EnforceRetention


def enforce_retention(environ: Mapping[str, str] | None = None) -> EnforceRetention:
    """Log, quarantine and archive."""
    from regulars.adapters.dynamodb.events import DynamoEventLog
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.privacy.config import Privacy
    from regulars.privacy.retention import EnforceRetention
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.EnforceRetention, environ)
    storage = S3Storage(loaded.data_bucket)
    return EnforceRetention(
        log=DynamoEventLog(loaded.events_table),
        quarantine=DynamoQuarantine(loaded.quarantine_table),
        storage=storage,
        config=section(Privacy, "privacy", overrides(storage)).retention,
        clock=clock,
    )
