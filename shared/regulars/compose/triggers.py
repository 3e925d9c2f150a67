"""Triggers: planning and firing timers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.compose.loading import settings_and_clock
from regulars.compose.profiles import profile_reader

if TYPE_CHECKING:
    from regulars.triggers.firing import FireTimers
    from regulars.triggers.service import PlanTriggers


def plan_triggers(environ: Mapping[str, str] | None = None) -> PlanTriggers:
    """The due index, profiles and catalogue to read, the rules, the shop's time zone."""
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.decisions.config import Decisions
    from regulars.decisions.zones import shop_zone
    from regulars.shop import overrides, section
    from regulars.triggers.config import Triggers
    from regulars.triggers.service import PlanTriggers

    loaded, clock = settings_and_clock(settings.PlanTriggers, environ)
    own = overrides(S3Storage(loaded.data_bucket))
    return PlanTriggers(
        timers=DynamoTimers(loaded.timers_table, loaded.timer_shards),
        profiles=profile_reader(loaded.profiles_table, own),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        clock=clock,
        zone=shop_zone(section(Decisions, "decisions", own).place),
        numbers=section(Triggers, "triggers", own),
    )


def fire_timers(environ: Mapping[str, str] | None = None) -> FireTimers:
    """The due index and the moments queue."""
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.shop import overrides, section
    from regulars.triggers.config import Triggers
    from regulars.triggers.firing import FireTimers

    loaded, clock = settings_and_clock(settings.FireTimers, environ)
    return FireTimers(
        timers=DynamoTimers(loaded.timers_table, loaded.timer_shards),
        moments=SqsQueue(loaded.moments_queue_url),
        clock=clock,
        shards=loaded.timer_shards,
        numbers=section(Triggers, "triggers", overrides(S3Storage(loaded.data_bucket))).firing,
    )
