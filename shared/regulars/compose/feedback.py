"""Feedback: links, provider reports, attribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.compose.channels import signer
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.decisions.ports import Ledger
    from regulars.feedback.attribution import Attribution
    from regulars.feedback.callbacks import Callbacks
    from regulars.feedback.config import FeedbackConfig
    from regulars.feedback.links import Links
    from regulars.feedback.service import RecordFeedback


def serve_links(environ: Mapping[str, str] | None = None) -> Links:
    """The ledger to look destinations up in, contacts to withdraw consent, the feedback queue."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.channels.config import ChannelSettings
    from regulars.channels.links import Destinations
    from regulars.feedback.links import Links
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.ServeLinks, environ)
    config = section(ChannelSettings, "channels", overrides(S3Storage(loaded.data_bucket)))
    return Links(
        # Suppressions speak in claims only, and links claim nothing.
        ledger=DynamoLedger(loaded.messages_table, loaded.contacts_table, ""),
        contacts=DynamoContacts(loaded.contacts_table),
        feedback=SqsQueue(loaded.feedback_queue_url),
        signer=signer(loaded.signing_secret_arn, clock),
        clock=clock,
        destinations=Destinations.of(config.shop.home_url, config.links.hosts),
    )


def record_feedback(environ: Mapping[str, str] | None = None) -> RecordFeedback:
    """Ledger, contacts, suppressions, and attribution for touches that are reported after the order."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.feedback.service import RecordFeedback
    from regulars.shop import overrides

    loaded, clock = settings_and_clock(settings.RecordFeedback, environ)
    changed = overrides(S3Storage(loaded.data_bucket))
    ledger = make_ledger(loaded.messages_table, loaded.contacts_table, loaded.suppressions_table)
    attribution, config = make_attribution(ledger, loaded.metrics_table, changed)
    return RecordFeedback(
        ledger=ledger,
        contacts=DynamoContacts(loaded.contacts_table),
        suppressions=DynamoSuppressions(loaded.suppressions_table),
        attribution=attribution,
        clock=clock,
        config=config,
        topics=[loaded.feedback_topic_arn, *_listed(loaded.callback_topic_arns)],
    )


def receive_callbacks(environ: Mapping[str, str] | None = None) -> Callbacks:
    """Amazon's certificates, the topics that may speak to us, the feedback queue."""
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.sns_callbacks import AmazonCertificates, confirm
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.feedback.callbacks import Callbacks
    from regulars.feedback.config import load
    from regulars.shop import overrides

    loaded, clock = settings_and_clock(settings.ReceiveCallbacks, environ)
    return Callbacks(
        topics=frozenset(_listed(loaded.callback_topic_arns)),
        certificates=AmazonCertificates(),
        confirm=confirm,
        feedback=SqsQueue(loaded.feedback_queue_url),
        clock=clock,
        config=load(overrides(S3Storage(loaded.data_bucket))).callbacks,
    )


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def make_ledger(messages_table: str, contacts_table: str, suppressions_table: str) -> Ledger:
    from regulars.adapters.dynamodb.messages import DynamoLedger

    return DynamoLedger(messages_table, contacts_table, suppressions_table)


def make_attribution(ledger: Ledger, table: str, changed: Mapping[str, Any]) -> tuple[Attribution, FeedbackConfig]:
    from regulars.adapters.dynamodb.touches import DynamoTouches
    from regulars.feedback.attribution import Attribution
    from regulars.feedback.config import load

    config = load(changed)
    return Attribution(ledger, DynamoTouches(table), config.attribution), config
