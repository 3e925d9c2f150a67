"""Profiles: reading, rules, the daily sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.reading import ProfileReader
    from regulars.profiles.rules import Rule
    from regulars.profiles.sweep import SweepLifecycle


def profile_reader(table: str, changed: Mapping[str, Any]) -> ProfileReader:
    """Profiles as every other stage reads them; `changed` are the shop's overrides."""
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.reading import ProfileReader
    from regulars.shop import section

    return ProfileReader(DynamoProfiles(table), section(ProfilesConfig, "profiles", changed).weights)


def profile_rules(changed: Mapping[str, Any]) -> tuple[ProfilesConfig, tuple[Rule, ...]]:
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.festivals import check
    from regulars.profiles.rules import load_rules
    from regulars.shop import section

    config = section(ProfilesConfig, "profiles", changed)
    check(config.festivals)
    return config, load_rules(changed, config.festivals)


def sweep_lifecycle(environ: Mapping[str, str] | None = None) -> SweepLifecycle:
    """Profiles, the moments queue, the data bucket for the summary and the needs model."""
    from functools import partial

    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.lambda_batch import logger
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.needs.config import NeedsSettings
    from regulars.needs.forecasting import forecaster
    from regulars.profiles.sweep import SweepLifecycle
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.SweepLifecycle, environ)
    storage = S3Storage(loaded.data_bucket)
    changed = overrides(storage)
    config, rules = profile_rules(changed)
    return SweepLifecycle(
        profiles=DynamoProfiles(loaded.profiles_table),
        moments=SqsQueue(loaded.moments_queue_url),
        storage=storage,
        config=config,
        rules=rules,
        clock=clock,
        report=lambda name, facts: logger().info(name, extra={"change": dict(facts)}),
        needs=partial(forecaster, storage, section(NeedsSettings, "needs", changed)),
    )
