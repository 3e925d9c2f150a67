"""The composition root: what each function is made of, built inside its first call and only then.

One function here per entry of `flow.py`, same name. Imports stay inside, so that a function loads only what it uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from regulars import settings
from regulars.clock import Clock, clock_from

if TYPE_CHECKING:
    from regulars.adapters.lambda_batch import StreamRecord
    from regulars.capture.applying import CaptureEvents
    from regulars.capture.archive import ArchiveEvents
    from regulars.capture.collecting import Collector
    from regulars.capture.http import CollectingApi
    from regulars.catalogue.importing import Importer
    from regulars.channels.http import ShopperApi
    from regulars.channels.ports import Provider
    from regulars.channels.sending import SendMessage
    from regulars.decisions.explain import Explain
    from regulars.decisions.ports import Ledger
    from regulars.decisions.service import DecideMessage
    from regulars.feedback.attribution import Attribution
    from regulars.feedback.config import FeedbackConfig
    from regulars.feedback.links import Links
    from regulars.feedback.service import RecordFeedback
    from regulars.metrics.service import Reports, WriteReports
    from regulars.operation.http import OperatorApi
    from regulars.privacy.retention import EnforceRetention
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.reading import ProfileReader
    from regulars.profiles.rules import Rule
    from regulars.profiles.sweep import SweepLifecycle
    from regulars.recommendations.http import RecommendationsApi
    from regulars.recommendations.rulebook import Rulebook
    from regulars.recommendations.service import Recommend
    from regulars.signing import Signer
    from regulars.similarity.service import BuildPopularity, BuildSimilarity
    from regulars.storage import Storage
    from regulars.triggers.firing import FireTimers
    from regulars.triggers.service import PlanTriggers

S = TypeVar("S", bound=settings.Settings)


def _load(kind: type[S], environ: Mapping[str, str] | None) -> tuple[S, Clock]:
    loaded = settings.load(kind, os.environ if environ is None else environ)
    return loaded, clock_from(loaded.clock_source)


def collect_events(environ: Mapping[str, str] | None = None) -> CollectingApi:
    """Keys, limits and vocabulary, the events queue, the quarantine."""
    from regulars.access import Keys
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.http import CollectingApi

    loaded, clock = _load(settings.CollectEvents, environ)
    collector = _collector(loaded, clock, S3Storage(loaded.data_bucket))
    return CollectingApi(Keys(loaded.write_key_hashes, "write"), collector)


def _collector(loaded: settings.CollectEvents | settings.ServeOperator, clock: Clock, storage: Storage) -> Collector:
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.capture.collecting import Collector
    from regulars.capture.config import Capture
    from regulars.shop import overrides, section

    config = section(Capture, "capture", overrides(storage)).collecting
    return Collector(config, SqsQueue(loaded.events_queue_url), DynamoQuarantine(loaded.quarantine_table), clock)


def serve_operator(environ: Mapping[str, str] | None = None) -> OperatorApi:
    """Keys now; the catalogue, rules, quarantine, explanations and reports when a route asks for them."""
    from regulars.access import Keys
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.operation.http import OperatorApi

    loaded, clock = _load(settings.ServeOperator, environ)
    storage = S3Storage(loaded.data_bucket)

    def importer() -> Importer:
        from regulars.catalogue.config import CatalogueSettings
        from regulars.catalogue.importing import Importer
        from regulars.catalogue.snapshot import publisher
        from regulars.shop import overrides, section

        config = section(CatalogueSettings, "catalogue", overrides(storage))
        return Importer(DynamoCatalogue(loaded.catalogue_table), config, clock, publisher(storage, clock))

    def rulebook() -> Rulebook:
        from regulars.adapters.dynamodb.models import DynamoModels
        from regulars.recommendations.rulebook import Rulebook

        return Rulebook(DynamoModels(loaded.models_table), clock)

    def explain() -> Explain:
        from regulars.adapters.dynamodb.contacts import DynamoContacts
        from regulars.decisions.config import Decisions
        from regulars.decisions.explain import Explain
        from regulars.shop import overrides, section

        changed = overrides(storage)
        ledger = _ledger(loaded.messages_table, loaded.contacts_table, "")  # reads only: claims alone need suppressions
        profiles, contacts = profile_reader(loaded.profiles_table, changed), DynamoContacts(loaded.contacts_table)
        return Explain(profiles, contacts, ledger, clock, section(Decisions, "decisions", changed))

    return OperatorApi(
        keys=Keys(loaded.operator_key_hashes, "operator"),
        clock=clock,
        catalogue=lambda: DynamoCatalogue(loaded.catalogue_table),
        importer=importer,
        rulebook=rulebook,
        quarantine=lambda: DynamoQuarantine(loaded.quarantine_table),
        collector=lambda: _collector(loaded, clock, storage),
        explain=explain,
        reports=lambda: _reports(loaded.metrics_table, storage, clock),
    )


def send_message(environ: Mapping[str, str] | None = None) -> SendMessage:
    """Ledger, contacts, suppressions, renderer, and a way out for each channel."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.channels.config import ChannelSettings
    from regulars.channels.links import LinkMaker
    from regulars.channels.rendering import Renderer
    from regulars.channels.sending import SendMessage
    from regulars.decisions.config import Decisions
    from regulars.shop import overrides, section

    loaded, clock = _load(settings.SendMessage, environ)
    own = overrides(S3Storage(loaded.data_bucket))
    config, decisions = section(ChannelSettings, "channels", own), section(Decisions, "decisions", own)
    signs, lifetime = signer(loaded.signing_secret_arn, clock), timedelta(days=config.limits.link_days)
    return SendMessage(
        ledger=DynamoLedger(loaded.messages_table, loaded.contacts_table, loaded.suppressions_table),
        contacts=DynamoContacts(loaded.contacts_table),
        suppressions=DynamoSuppressions(loaded.suppressions_table),
        renderer=Renderer(config, LinkMaker(signs, loaded.link_base_url.rstrip("/"), lifetime)),
        providers=_providers(loaded, clock, timedelta(days=config.limits.inbox_days)),
        decisions=decisions,
        config=config.sending,
        clock=clock,
    )


def _providers(loaded: settings.SendMessage, clock: Clock, keep: timedelta) -> Mapping[str, Provider]:
    """Channel → way out; each opens its client with its first message."""
    from regulars.adapters.aws import send_once_client
    from regulars.adapters.channels.inbox import InboxProvider
    from regulars.adapters.channels.ses import SesEmail
    from regulars.adapters.channels.sms_voice import SmsVoice
    from regulars.adapters.channels.sns_push import SnsPush
    from regulars.adapters.dynamodb.inbox import DynamoInbox

    return {
        "email": SesEmail(
            lambda: send_once_client("sesv2"),
            sender=loaded.email_sender,
            configuration_set=loaded.email_configuration_set,
        ),
        "push": SnsPush(lambda: send_once_client("sns")),
        "sms": SmsVoice(
            lambda: send_once_client("pinpoint-sms-voice-v2"),
            origination_identity=loaded.sms_origination_identity,
            configuration_set=loaded.sms_configuration_set,
        ),
        "inapp": InboxProvider(DynamoInbox(loaded.inbox_table), clock, keep),
    }


def signer(secret_arn: str, clock: Clock) -> Signer:
    """Signs and reads links and shoppers' tokens."""
    from regulars.adapters.secrets import secret
    from regulars.signing import Keys, Signer

    return Signer(Keys.parse(secret(secret_arn)), clock)


def serve_links(environ: Mapping[str, str] | None = None) -> Links:
    """The ledger to look destinations up in, contacts to withdraw consent, the feedback queue."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.feedback.links import Links

    loaded, clock = _load(settings.ServeLinks, environ)
    return Links(
        # Suppressions speak in claims only, and links claim nothing.
        ledger=DynamoLedger(loaded.messages_table, loaded.contacts_table, ""),
        contacts=DynamoContacts(loaded.contacts_table),
        feedback=SqsQueue(loaded.feedback_queue_url),
        signer=signer(loaded.signing_secret_arn, clock),
        clock=clock,
    )


def serve_shopper(environ: Mapping[str, str] | None = None) -> ShopperApi:
    """The shopper's token, her inbox and her preferences."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.inbox import DynamoInbox
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.channels.config import ChannelSettings
    from regulars.channels.http import ShopperApi
    from regulars.channels.inbox import ShopperInbox
    from regulars.channels.preferences import Preferences
    from regulars.shop import section

    loaded, clock = _load(settings.ServeShopper, environ)
    page = section(ChannelSettings, "channels").limits.inbox_page
    feedback = SqsQueue(loaded.feedback_queue_url)
    return ShopperApi(
        signer=signer(loaded.signing_secret_arn, clock),
        inbox=ShopperInbox(DynamoInbox(loaded.inbox_table), feedback, clock, page),
        preferences=Preferences(DynamoContacts(loaded.contacts_table), feedback, clock),
    )


def record_feedback(environ: Mapping[str, str] | None = None) -> RecordFeedback:
    """Ledger, contacts, suppressions, and attribution for touches that are reported after the order."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.feedback.service import RecordFeedback
    from regulars.shop import overrides

    loaded, clock = _load(settings.RecordFeedback, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    ledger = _ledger(loaded.messages_table, loaded.contacts_table, loaded.suppressions_table)
    attribution, config = _attribution(ledger, loaded.metrics_table, changed)
    return RecordFeedback(
        ledger=ledger,
        contacts=DynamoContacts(loaded.contacts_table),
        suppressions=DynamoSuppressions(loaded.suppressions_table),
        attribution=attribution,
        clock=clock,
        config=config,
        topic_arn=loaded.feedback_topic_arn,
    )


def roll_up_metrics(environ: Mapping[str, str] | None = None) -> Callable[[Sequence[StreamRecord]], object]:
    """Counters and sketches, and attribution for orders and clicks."""
    from regulars.adapters.dynamodb.changes import changes
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.metrics.config import load
    from regulars.metrics.service import RollUpMetrics
    from regulars.shop import overrides

    loaded, _ = _load(settings.RollUpMetrics, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    # Contacts and suppressions speak in claims only, and metrics claim nothing.
    attribution, _ = _attribution(_ledger(loaded.messages_table, "", ""), loaded.metrics_table, changed)
    counters, sketches = DynamoCounters(loaded.metrics_table), DynamoSketches(loaded.metrics_table)
    roll_up = RollUpMetrics(counters, sketches, attribution, load(changed))
    return lambda records: roll_up(list(changes(records, messages_table=loaded.messages_table)))


def write_reports(environ: Mapping[str, str] | None = None) -> WriteReports:
    """The report of the counters, kept in the data bucket."""
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.metrics.service import WriteReports

    loaded, clock = _load(settings.WriteReports, environ)
    storage = S3Storage(loaded.data_bucket)
    return WriteReports(_reports(loaded.metrics_table, storage, clock), storage, clock)


def _reports(metrics_table: str, storage: Storage, clock: Clock) -> Reports:
    """What builds the KPI report of any days."""
    from regulars.adapters.dynamodb.counters import DynamoCounters, DynamoSketches
    from regulars.metrics.config import load
    from regulars.metrics.service import Reports
    from regulars.shop import overrides

    counters, sketches = DynamoCounters(metrics_table), DynamoSketches(metrics_table)
    return Reports(counters, sketches, storage, clock, lambda: load(overrides(storage)))


def _ledger(messages_table: str, contacts_table: str, suppressions_table: str) -> Ledger:
    from regulars.adapters.dynamodb.messages import DynamoLedger

    return DynamoLedger(messages_table, contacts_table, suppressions_table)


def _attribution(ledger: Ledger, table: str, changed: Mapping[str, Any]) -> tuple[Attribution, FeedbackConfig]:
    from regulars.adapters.dynamodb.touches import DynamoTouches
    from regulars.feedback.attribution import Attribution
    from regulars.feedback.config import load

    config = load(changed)
    return Attribution(ledger, DynamoTouches(table), config.attribution), config


def profile_reader(table: str, changed: Mapping[str, Any]) -> ProfileReader:
    """Profiles as every other stage reads them; `changed` are the shop's overrides."""
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.reading import ProfileReader
    from regulars.shop import section

    return ProfileReader(DynamoProfiles(table), section(ProfilesConfig, "profiles", changed).weights)


def _profile_rules(changed: Mapping[str, Any]) -> tuple[ProfilesConfig, tuple[Rule, ...]]:
    from regulars.profiles.config import ProfilesConfig
    from regulars.profiles.festivals import check
    from regulars.profiles.rules import load_rules
    from regulars.shop import section

    config = section(ProfilesConfig, "profiles", changed)
    check(config.festivals)
    return config, load_rules(changed, config.festivals)


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

    loaded, clock = _load(settings.CaptureEvents, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    config, rules = _profile_rules(changed)
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

    loaded, _ = _load(settings.ArchiveEvents, environ)
    return ArchiveEvents(S3Storage(loaded.data_bucket))


def sweep_lifecycle(environ: Mapping[str, str] | None = None) -> SweepLifecycle:
    """Profiles, the moments queue, the data bucket for the summary."""
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.lambda_batch import logger
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.profiles.sweep import SweepLifecycle
    from regulars.shop import overrides

    loaded, clock = _load(settings.SweepLifecycle, environ)
    storage = S3Storage(loaded.data_bucket)
    config, rules = _profile_rules(overrides(storage))
    return SweepLifecycle(
        profiles=DynamoProfiles(loaded.profiles_table),
        moments=SqsQueue(loaded.moments_queue_url),
        storage=storage,
        config=config,
        rules=rules,
        clock=clock,
        report=lambda name, facts: logger().info(name, extra={"change": dict(facts)}),
    )


def enforce_retention(environ: Mapping[str, str] | None = None) -> EnforceRetention:
    """Log, quarantine and archive."""
    from regulars.adapters.dynamodb.events import DynamoEventLog
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.privacy.config import Privacy
    from regulars.privacy.retention import EnforceRetention
    from regulars.shop import overrides, section

    loaded, clock = _load(settings.EnforceRetention, environ)
    storage = S3Storage(loaded.data_bucket)
    return EnforceRetention(
        log=DynamoEventLog(loaded.events_table),
        quarantine=DynamoQuarantine(loaded.quarantine_table),
        storage=storage,
        config=section(Privacy, "privacy", overrides(storage)).retention,
        clock=clock,
    )


def plan_triggers(environ: Mapping[str, str] | None = None) -> PlanTriggers:
    """The due index, profiles and catalogue to read, the rules, the shop's time zone."""
    from zoneinfo import ZoneInfo

    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.decisions.config import Decisions
    from regulars.shop import overrides, section
    from regulars.triggers.config import Triggers
    from regulars.triggers.local_time import zone_named
    from regulars.triggers.service import PlanTriggers

    loaded, clock = _load(settings.PlanTriggers, environ)
    own = overrides(S3Storage(loaded.data_bucket))
    return PlanTriggers(
        timers=DynamoTimers(loaded.timers_table, loaded.timer_shards),
        profiles=profile_reader(loaded.profiles_table, own),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        clock=clock,
        zone=zone_named(section(Decisions, "decisions", own).place.time_zone) or ZoneInfo("UTC"),
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

    loaded, clock = _load(settings.FireTimers, environ)
    return FireTimers(
        timers=DynamoTimers(loaded.timers_table, loaded.timer_shards),
        moments=SqsQueue(loaded.moments_queue_url),
        clock=clock,
        shards=loaded.timer_shards,
        numbers=section(Triggers, "triggers", overrides(S3Storage(loaded.data_bucket))).firing,
    )


def build_similarity(environ: Mapping[str, str] | None = None) -> BuildSimilarity:
    """Archive, models, settings."""
    from functools import partial

    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.shop import overrides, section
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildSimilarity

    loaded, clock = _load(settings.BuildSimilarity, environ)
    storage = S3Storage(loaded.data_bucket)
    return BuildSimilarity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        storage=storage,
        settings=section(SimilaritySettings, "similarity", overrides(storage)),
        clock=clock,
        log=_told,
    )


def build_popularity(environ: Mapping[str, str] | None = None) -> BuildPopularity:
    """Archive, models, catalogue, the data bucket for the snapshot."""
    from functools import partial

    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.shop import overrides, section
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildPopularity

    loaded, clock = _load(settings.BuildPopularity, environ)
    storage = S3Storage(loaded.data_bucket)
    return BuildPopularity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        storage=storage,
        settings=section(SimilaritySettings, "similarity", overrides(storage)),
        clock=clock,
        log=_told,
    )


def serve_recommendations(environ: Mapping[str, str] | None = None) -> RecommendationsApi:
    """Write keys, the two round trips, the catalogue in memory."""
    from regulars.access import Keys
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.recommendations.http import RecommendationsApi
    from regulars.shop import overrides

    loaded, clock = _load(settings.ServeRecommendations, environ)
    storage = S3Storage(loaded.data_bucket)
    recommend = recommender(
        storage, clock, overrides(storage), loaded.profiles_table, loaded.models_table, loaded.catalogue_table
    )
    return RecommendationsApi(Keys(loaded.write_key_hashes, "write"), recommend)


def recommender(
    storage: Storage, clock: Clock, changed: Mapping[str, Any], profiles_table: str, models_table: str, catalogue_table: str
) -> Recommend:
    """What answers recommendations, for apps and (`recommendations.picking.Picking`) for messages."""
    from regulars.adapters.dynamodb.sources import DynamoSources
    from regulars.catalogue.config import CatalogueSettings
    from regulars.catalogue.snapshot import SnapshotReader
    from regulars.recommendations.config import RecommendationSettings
    from regulars.recommendations.service import Recommend
    from regulars.shop import section

    config = section(RecommendationSettings, "recommendations", changed)
    check_seconds = section(CatalogueSettings, "catalogue", changed).snapshot_check_seconds
    return Recommend(
        sources=DynamoSources(
            profile_reader(profiles_table, changed),
            models_table,
            catalogue_table,
            common_seconds=config.common_seconds,
            cache_rows=config.cache_rows,
        ),
        snapshot=SnapshotReader(storage, clock, check_seconds),
        settings=config,
        clock=clock,
        log=_warned,
    )


def _told(message: str, facts: Mapping[str, Any]) -> None:
    """A fact of a build in the function's structured log."""
    from regulars.adapters.lambda_batch import logger

    logger().info(message, extra={"facts": dict(facts)})


def _warned(message: str, facts: Mapping[str, Any]) -> None:
    """Something is broken and was lived with."""
    from regulars.adapters.lambda_batch import logger

    logger().warning(message, extra={"facts": dict(facts)})


def decide_message(environ: Mapping[str, str] | None = None) -> DecideMessage:
    """Profiles, contacts, suppressions and ledger to read, items to show, a queue a channel, the due index to wait in."""
    from functools import partial

    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.decisions.config import Decisions
    from regulars.decisions.model import CHANNELS
    from regulars.decisions.service import DecideMessage
    from regulars.recommendations.picking import Picking
    from regulars.shop import overrides, section
    from regulars.triggers.service import defer

    loaded, clock = _load(settings.DecideMessage, environ)
    storage = S3Storage(loaded.data_bucket)
    own = overrides(storage)
    config = section(Decisions, "decisions", own)
    return DecideMessage(
        profiles=profile_reader(loaded.profiles_table, own),
        contacts=DynamoContacts(loaded.contacts_table),
        suppressions=DynamoSuppressions(loaded.suppressions_table),
        ledger=DynamoLedger(
            loaded.messages_table, loaded.contacts_table, loaded.suppressions_table, keep_days=config.keep_days
        ),
        showcase=Picking(recommender(storage, clock, own, loaded.profiles_table, loaded.models_table, loaded.catalogue_table)),
        queues={channel: SqsQueue(getattr(loaded, f"{channel}_queue_url")) for channel in CHANNELS},
        defer=partial(defer, DynamoTimers(loaded.timers_table, loaded.timer_shards)),
        clock=clock,
        config=config,
    )
