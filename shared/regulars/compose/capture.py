"""Capture: collecting, applying, archiving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.clock import Clock
from regulars.compose.loading import settings_and_clock
from regulars.compose.profiles import profile_rules

if TYPE_CHECKING:
    from regulars.capture.applying import CaptureEvents
    from regulars.capture.archive import ArchiveEvents
    from regulars.capture.collecting import Collector
    from regulars.capture.http import CollectingApi
    from regulars.storage import Storage


def collect_events(environ: Mapping[str, str] | None = None) -> CollectingApi:
    """Keys, limits and vocabulary, the events queue, the quarantine."""
    from regulars.access import Keys
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.http import CollectingApi

    loaded, clock = settings_and_clock(settings.CollectEvents, environ)
    collector = make_collector(loaded, clock, S3Storage(loaded.data_bucket))
    return CollectingApi(Keys(loaded.write_key_hashes, "write"), collector, Keys(loaded.operator_key_hashes, "operator"))


def make_collector(loaded: settings.CollectEvents | settings.ServeOperator, clock: Clock, storage: Storage) -> Collector:
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.capture.collecting import Collector
    from regulars.capture.config import Capture
    from regulars.shop import overrides, section

    config = section(Capture, "capture", overrides(storage)).collecting
    return Collector(config, SqsQueue(loaded.events_queue_url), DynamoQuarantine(loaded.quarantine_table), clock)


def capture_events(environ: Mapping[str, str] | None = None) -> CaptureEvents:
    """Profiles, log, contacts, catalogue and quarantine; tag settings and rules of the shop."""
    from regulars.adapters.counters import count
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.events import DynamoEventLog
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.applying import CaptureEvents
    from regulars.capture.config import Capture
    from regulars.privacy.config import Privacy
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.CaptureEvents, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    config, rules = profile_rules(changed)
    return CaptureEvents(
        profiles=DynamoProfiles(loaded.profiles_table),
        log=DynamoEventLog(loaded.events_table),
        contacts=DynamoContacts(loaded.contacts_table),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        quarantine=DynamoQuarantine(loaded.quarantine_table),
        config=config,
        rules=rules,
        keep_days=section(Privacy, "privacy", changed).retention.events_days,
        quarantine_days=section(Capture, "capture", changed).collecting.quarantine_days,
        clock=clock,
        count=count,
    )


def archive_events(environ: Mapping[str, str] | None = None) -> ArchiveEvents:
    """The data bucket."""
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import ArchiveEvents

    loaded, _ = settings_and_clock(settings.ArchiveEvents, environ)
    return ArchiveEvents(S3Storage(loaded.data_bucket))
