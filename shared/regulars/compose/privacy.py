"""Privacy: retention and erasure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.clock import Clock
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.privacy.erasure import EraseShopper
    from regulars.privacy.http import PrivacyApi
    from regulars.privacy.retention import EnforceRetention


def enforce_retention(environ: Mapping[str, str] | None = None) -> EnforceRetention:
    """Log, quarantine and archive; the erasures that wait for the daily run."""
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
        erasures=make_erasure(loaded, clock).finish,
    )


def erase_shopper(environ: Mapping[str, str] | None = None) -> PrivacyApi:
    """The operator's key, and every table that knows shoppers."""
    from regulars.access import Keys
    from regulars.privacy.http import PrivacyApi

    loaded, clock = settings_and_clock(settings.EraseShopper, environ)
    return PrivacyApi(Keys(loaded.operator_key_hashes, "operator"), make_erasure(loaded, clock))


def make_erasure(loaded: settings.Erasing, clock: Clock) -> EraseShopper:
    """The order of the stores is the order in which they are emptied: what may be sent comes first."""
    from regulars.adapters.dynamodb import keys
    from regulars.adapters.dynamodb.events import DynamoEventLog
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.partitions import Partitions
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.privacy.config import Privacy
    from regulars.privacy.erasure import EraseShopper
    from regulars.shop import overrides, section

    storage = S3Storage(loaded.data_bucket)
    return EraseShopper(
        histories=DynamoProfiles(loaded.profiles_table),
        log=DynamoEventLog(loaded.events_table),
        stores={
            "contacts": Partitions(loaded.contacts_table),
            "messages": Partitions(loaded.messages_table),
            "timers": DynamoTimers(loaded.timers_table, loaded.timer_shards),
            "inbox": Partitions(loaded.inbox_table),
            "offers": DynamoOffers(loaded.offers_table),
            "metrics": Partitions(loaded.metrics_table, keys.touches),
        },
        quarantine=DynamoQuarantine(loaded.quarantine_table),
        storage=storage,
        config=section(Privacy, "privacy", overrides(storage)).erasure,
        clock=clock,
    )
