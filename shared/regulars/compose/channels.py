"""Channels: the sending worker and the shopper's own API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from regulars import settings
from regulars.clock import Clock
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.channels.http import ShopperApi
    from regulars.channels.ports import Provider
    from regulars.channels.sending import SendMessage
    from regulars.signing import Signer


def send_message(environ: Mapping[str, str] | None = None) -> SendMessage:
    """Ledger, contacts, suppressions, renderer, a way out for each channel and what it takes a second; the due index."""
    from functools import partial

    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.limits import DynamoPauses, DynamoPermits
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.channels.config import ChannelSettings
    from regulars.channels.links import Destinations, LinkMaker
    from regulars.channels.pacing import Pace
    from regulars.channels.pausing import KnownPauses
    from regulars.channels.rendering import Renderer
    from regulars.channels.sending import SendMessage
    from regulars.compose.offers import reserving
    from regulars.decisions.config import Decisions
    from regulars.profiles.reading import NewestOrder
    from regulars.shop import overrides, section
    from regulars.triggers.service import defer

    loaded, clock = settings_and_clock(settings.SendMessage, environ)
    own = overrides(S3Storage(loaded.data_bucket))
    config, decisions = section(ChannelSettings, "channels", own), section(Decisions, "decisions", own)
    signs, lifetime = signer(loaded.signing_secret_arn, clock), timedelta(days=config.limits.link_days)
    targets = Destinations.of(config.shop.home_url, config.links.hosts)
    return SendMessage(
        ledger=DynamoLedger(loaded.messages_table, loaded.contacts_table, loaded.suppressions_table, loaded.offers_table),
        contacts=DynamoContacts(loaded.contacts_table),
        suppressions=DynamoSuppressions(loaded.suppressions_table),
        renderer=Renderer(config, LinkMaker(signs, loaded.link_base_url.rstrip("/"), lifetime, targets)),
        providers=_providers(loaded, clock, timedelta(days=config.limits.inbox_days)),
        decisions=decisions,
        config=config.sending,
        clock=clock,
        defer=partial(defer, DynamoTimers(loaded.timers_table, loaded.timer_shards)),
        pace=Pace(DynamoPermits(loaded.channels_table), config.pacing),
        pauses=KnownPauses(DynamoPauses(loaded.channels_table), config.sending.pause_cache_seconds),
        orders=NewestOrder(DynamoProfiles(loaded.profiles_table)),
        reserving=reserving(loaded.offers_table, signs, own, clock),
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


def serve_shopper(environ: Mapping[str, str] | None = None) -> ShopperApi:
    """The shopper's token, her inbox and her preferences; profiles know who was erased."""
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.inbox import DynamoInbox
    from regulars.adapters.dynamodb.profiles import DynamoProfiles
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.channels.config import ChannelSettings
    from regulars.channels.http import ShopperApi
    from regulars.channels.inbox import ShopperInbox
    from regulars.channels.preferences import Preferences
    from regulars.shop import section

    loaded, clock = settings_and_clock(settings.ServeShopper, environ)
    page = section(ChannelSettings, "channels").limits.inbox_page
    feedback = SqsQueue(loaded.feedback_queue_url)
    return ShopperApi(
        signer=signer(loaded.signing_secret_arn, clock),
        inbox=ShopperInbox(DynamoInbox(loaded.inbox_table), feedback, clock, page),
        preferences=Preferences(
            DynamoContacts(loaded.contacts_table), feedback, clock, DynamoProfiles(loaded.profiles_table).erased
        ),
    )
