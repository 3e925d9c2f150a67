"""`regulars simulate`: rehearse a campaign, or the coming days as they stand, on a copy of real profiles."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tqdm import tqdm

from regulars.adapters.dynamodb.contacts import DynamoContacts
from regulars.adapters.dynamodb.messages import DynamoLedger
from regulars.adapters.dynamodb.profiles import DynamoProfiles
from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
from regulars.adapters.dynamodb.timers import DynamoTimers
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.storage import MemoryStorage
from regulars.adapters.storage.s3 import S3Storage
from regulars.channels.config import ChannelSettings
from regulars.channels.links import Destinations, LinkMaker
from regulars.channels.rendering import Renderer
from regulars.clock import Clock, clock_from
from regulars.compose.profiles import profile_rules
from regulars.compose.recommendations import recommender
from regulars.decisions.config import Decisions
from regulars.errors import Invalid
from regulars.messages import Moment
from regulars.offers.config import OfferSettings
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.reading import profile_at
from regulars.profiles.sweep import SweepLifecycle
from regulars.recommendations.picking import Picking
from regulars.shop import overrides, section
from regulars.signing import Keys, Signer
from regulars.triggers.config import Triggers
from regulars_ops.rehearsal.copying import Copy, Sources, copy_shopper, sampled
from regulars_ops.rehearsal.plan import Campaign, read_campaign
from regulars_ops.rehearsal.running import Rehearsal, Rules, VirtualClock
from regulars_ops.rehearsal.telling import line_of, text, totals, write_csv
from regulars_ops.stack import Stack

_NO_SECRET = "rehearsal-links-lead-nowhere-" * 2


def add_command(commands: Any) -> None:
    """`regulars simulate`."""
    command = commands.add_parser(
        "simulate", help="rehearse a campaign or the coming days: who gets what, when, who not and why"
    )
    command.add_argument("campaign", type=Path, nargs="?", help="YAML: campaign, kind, at, audience; without, what stands")
    command.add_argument("--days", type=float, default=7.0, help="how long (default 7)")
    command.add_argument("--from", dest="begins", metavar="INSTANT", help="ISO-8601 with offset; default now")
    command.add_argument("--share", type=float, default=1.0, help="share of the shoppers to copy, 0 to 1 (default all)")
    command.add_argument("--only-campaign", action="store_true", help="without timers that stand and the daily sweep")
    command.add_argument("--show", type=int, default=5, help="lines shown of each outcome")
    command.add_argument("--out", type=Path, help="CSV with every shopper and moment")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=run)


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """Exit code 1 when a moment could not be decided or rendered: then the campaign has a fault to mend."""
    environment = stack.environment("decide_message")
    own = overrides(S3Storage(environment["DATA_BUCKET"]))
    decisions = section(Decisions, "decisions", own)
    campaign = read_campaign(chosen.campaign.read_text("utf-8"), decisions) if chosen.campaign else None
    begins = _begins(chosen, campaign, clock_from(environment["CLOCK_SOURCE"]))
    ends = begins + timedelta(days=chosen.days)
    copy, audience = _copied(environment, own, decisions, campaign, chosen, begins)
    clock = VirtualClock(begins)
    rehearsal = _rehearsal(environment, own, decisions, copy, clock, sweeps=not chosen.only_campaign)
    planned: Mapping[datetime, Sequence[Moment]] = {}
    if campaign and audience:
        planned = {max(begins, campaign.begins): [campaign.moment(shopper) for shopper in audience]}
    with tqdm(total=round(chosen.days * 24, 1), unit="h", desc="rehearse") as progress:
        for now in rehearsal.run(ends, planned):
            progress.update(round((now - begins).total_seconds() / 3600 - progress.n, 1))
    lines = [
        line_of(message, copy.contacts, decisions.place, rehearsal.refused.get((message.shopper, message.moment_id), ""))
        for message in rehearsal.messages()
    ]
    faults = {key: reason for key, reason in rehearsal.refused.items() if copy.ledger.get(*key) is None}
    told = totals(lines, len(copy.shoppers), {"audience": len(audience), "undecided": len(faults)})
    if chosen.out:
        with chosen.out.open("w", encoding="utf-8", newline="") as file:
            write_csv(lines, file)
    if chosen.json:
        print(json.dumps({**told, "lines": [asdict(line) for line in lines]}, ensure_ascii=False, indent=2))
    else:
        print(text(told, lines, chosen.show))
    for (shopper, moment_id), reason in list(faults.items())[:10]:
        print(f"could not be decided: {shopper} {moment_id}: {reason}", file=sys.stderr)
    return 1 if faults else 0


def _begins(chosen: argparse.Namespace, campaign: Campaign | None, clock: Clock) -> datetime:
    if not 0 < chosen.share <= 1:
        raise Invalid("--share must be above 0 and at most 1", field="share")
    if not 0 < chosen.days <= 366:
        raise Invalid("--days must be above 0 and at most 366", field="days")
    if not chosen.begins:
        now = clock()
        return min(now, campaign.begins) if campaign and campaign.begins < now else now
    try:
        at = datetime.fromisoformat(chosen.begins)
    except ValueError as error:
        raise Invalid(f"--from: {chosen.begins!r} is no ISO-8601 instant", field="from") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _copied(
    environment: Mapping[str, str],
    own: Mapping[str, Any],
    decisions: Decisions,
    campaign: Campaign | None,
    chosen: argparse.Namespace,
    now: datetime,
) -> tuple[Copy, list[str]]:
    """The copy, and the campaign's audience in it."""
    sources = _sources(environment, decisions)
    weights = section(ProfilesConfig, "profiles", own).weights
    copy, audience = Copy(), list[str]()
    for stored in tqdm(sampled(sources.profiles.scan(), chosen.share), unit="shopper", desc="copy"):
        profile = profile_at(stored.record, stored.orders, now, weights, stored.aliases)
        held = campaign and campaign.audience.holds(profile, sources.contacts.load(profile.shopper), decisions)
        if held:
            audience.append(profile.shopper)
        if held or not chosen.only_campaign:
            copy_shopper(stored, sources, copy, now)
    return copy, audience


def _sources(environment: Mapping[str, str], decisions: Decisions) -> Sources:
    contacts, suppressions = environment["CONTACTS_TABLE"], environment["SUPPRESSIONS_TABLE"]
    return Sources(
        profiles=DynamoProfiles(environment["PROFILES_TABLE"]),
        contacts=DynamoContacts(contacts),
        suppressions=DynamoSuppressions(suppressions),
        ledger=DynamoLedger(environment["MESSAGES_TABLE"], contacts, suppressions, keep_days=decisions.keep_days),
        timers=DynamoTimers(environment["TIMERS_TABLE"], int(environment["TIMER_SHARDS"])),
    )


def _rehearsal(
    environment: Mapping[str, str],
    own: Mapping[str, Any],
    decisions: Decisions,
    copy: Copy,
    clock: VirtualClock,
    *,
    sweeps: bool,
) -> Rehearsal:
    storage = S3Storage(environment["DATA_BUCKET"])
    channels = section(ChannelSettings, "channels", own)
    config, rules = profile_rules(own)
    tables = (environment["PROFILES_TABLE"], environment["MODELS_TABLE"], environment["CATALOGUE_TABLE"])

    def sweep(moments: MemoryQueue) -> SweepLifecycle:
        return SweepLifecycle(
            profiles=copy.profiles,
            moments=moments,
            storage=MemoryStorage(),
            config=config,
            rules=rules,
            clock=clock,
            report=lambda name, facts: None,
        )

    targets = Destinations.of(channels.shop.home_url, channels.links.hosts)
    links = LinkMaker(Signer(Keys.parse(_NO_SECRET), clock), "https://rehearsal.invalid", timedelta(days=1), targets)
    daily: Callable[[MemoryQueue], SweepLifecycle] | None = sweep if sweeps else None
    return Rehearsal(
        copy=copy,
        rules=Rules(
            decisions=decisions,
            channels=channels,
            weights=config.weights,
            firing=section(Triggers, "triggers", own).firing,
            offers=section(OfferSettings, "offers", own),
        ),
        clock=clock,
        showcase=Picking(recommender(storage, clock, own, *tables)),
        renderer=Renderer(channels, links),
        sweep=daily,
    )
