"""Decisions: the arbiter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.compose.loading import settings_and_clock
from regulars.compose.offers import sold_out
from regulars.compose.profiles import profile_reader
from regulars.compose.recommendations import recommender

if TYPE_CHECKING:
    from regulars.decisions.service import DecideMessage


def decide_message(environ: Mapping[str, str] | None = None) -> DecideMessage:
    """Profiles, contacts, suppressions, pauses, budgets and ledger to read, items to show, a queue a channel, the due index to
    wait in."""
    from functools import partial

    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.limits import DynamoPauses
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.dynamodb.timers import DynamoTimers
    from regulars.adapters.queues.sqs import SqsQueue
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.channels.config import ChannelSettings
    from regulars.channels.pausing import KnownPauses
    from regulars.decisions.config import Decisions
    from regulars.decisions.model import CHANNELS
    from regulars.decisions.service import DecideMessage
    from regulars.offers.config import OfferSettings
    from regulars.recommendations.picking import Picking
    from regulars.shop import overrides, section
    from regulars.triggers.service import defer

    loaded, clock = settings_and_clock(settings.DecideMessage, environ)
    storage = S3Storage(loaded.data_bucket)
    own = overrides(storage)
    config = section(Decisions, "decisions", own)
    sending = section(ChannelSettings, "channels", own).sending
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
        offers=section(OfferSettings, "offers", own),
        pools=DynamoOffers(loaded.offers_table),
        sold_out=sold_out(loaded.offers_table, own, clock),
        paused=KnownPauses(DynamoPauses(loaded.channels_table), sending.pause_cache_seconds).standing,
    )
