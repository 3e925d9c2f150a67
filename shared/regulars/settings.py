"""Environment of each function as a frozen dataclass: field `events_table` is variable `EVENTS_TABLE`.

`load` is called by `compose` inside a handler, never at import. A test holds these classes and the templates to each
other, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from regulars.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every function has."""

    powertools_service_name: str
    powertools_log_level: str = "INFO"
    clock_source: str = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectEvents(Settings):
    write_key_hashes: str
    operator_key_hashes: str
    events_queue_url: str
    quarantine_table: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureEvents(Settings):
    profiles_table: str
    events_table: str
    contacts_table: str
    catalogue_table: str
    quarantine_table: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEvents(Settings):
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTriggers(Settings):
    timers_table: str
    catalogue_table: str
    profiles_table: str
    data_bucket: str
    timer_shards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FireTimers(Settings):
    timers_table: str
    moments_queue_url: str
    data_bucket: str
    timer_shards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLifecycle(Settings):
    profiles_table: str
    moments_queue_url: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideMessage(Settings):
    profiles_table: str
    contacts_table: str
    suppressions_table: str
    messages_table: str
    offers_table: str
    channels_table: str
    models_table: str
    catalogue_table: str
    timers_table: str
    data_bucket: str
    timer_shards: int
    email_queue_url: str
    push_queue_url: str
    sms_queue_url: str
    inapp_queue_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Settings):
    messages_table: str
    contacts_table: str
    suppressions_table: str
    inbox_table: str
    offers_table: str
    channels_table: str
    profiles_table: str
    timers_table: str
    data_bucket: str
    timer_shards: int
    signing_secret_arn: str
    link_base_url: str
    email_sender: str
    email_configuration_set: str
    sms_origination_identity: str = ""
    sms_configuration_set: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeLinks(Settings):
    messages_table: str
    contacts_table: str
    data_bucket: str
    feedback_queue_url: str
    signing_secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFeedback(Settings):
    messages_table: str
    contacts_table: str
    suppressions_table: str
    metrics_table: str
    data_bucket: str
    feedback_topic_arn: str
    callback_topic_arns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveCallbacks(Settings):
    """`callback_topic_arns`: comma-separated."""

    callback_topic_arns: str
    feedback_queue_url: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUpMetrics(Settings):
    messages_table: str
    metrics_table: str
    channels_table: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSimilarity(Settings):
    data_bucket: str
    catalogue_table: str
    models_table: str
    bulk_application_id: str = ""
    bulk_job_role_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPopularity(Settings):
    data_bucket: str
    catalogue_table: str
    models_table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastNeeds(Settings):
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRecommendations(Settings):
    write_key_hashes: str
    profiles_table: str
    models_table: str
    catalogue_table: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeShopper(Settings):
    inbox_table: str
    contacts_table: str
    profiles_table: str
    feedback_queue_url: str
    signing_secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOperator(Settings):
    operator_key_hashes: str
    catalogue_table: str
    models_table: str
    quarantine_table: str
    messages_table: str
    profiles_table: str
    metrics_table: str
    contacts_table: str
    channels_table: str
    events_table: str
    events_queue_url: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOffers(Settings):
    operator_key_hashes: str
    offers_table: str
    profiles_table: str
    data_bucket: str
    signing_secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireCoupons(Settings):
    offers_table: str
    moments_queue_url: str
    data_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing(Settings):
    """What every function has that can forget a shopper."""

    profiles_table: str
    contacts_table: str
    messages_table: str
    timers_table: str
    inbox_table: str
    offers_table: str
    metrics_table: str
    quarantine_table: str
    events_table: str
    data_bucket: str
    timer_shards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceRetention(Erasing):
    """Woken by the schedule alone: no key beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseShopper(Erasing):
    operator_key_hashes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReports(Settings):
    metrics_table: str
    data_bucket: str


S = TypeVar("S", bound=Settings)


def load(kind: type[S], environ: Mapping[str, str]) -> S:
    """The settings of `kind` out of `environ`; raises Misconfigured naming every missing or malformed variable."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for entry in fields(kind):
        name = entry.name.upper()
        text = environ.get(name)
        if text is None:
            if entry.default is MISSING:
                wrong.append(f"{name} is missing")
            continue
        if entry.type in (int, "int") and not text.isdecimal():
            wrong.append(f"{name} is not a whole number: {text!r}")
            continue
        values[entry.name] = int(text) if entry.type in (int, "int") else text
    if wrong:
        raise Misconfigured("; ".join(wrong))
    return kind(**values)
