"""`regulars channels`: the health of each channel, and its marketing paused or resumed."""

from __future__ import annotations

import argparse
from typing import Any

from regulars.adapters.dynamodb.limits import DynamoGauges, DynamoPauses
from regulars.adapters.storage.s3 import S3Storage
from regulars.channels.config import ChannelSettings, Health
from regulars.channels.health import Bucket
from regulars.channels.watching import start_afresh
from regulars.clock import clock_from
from regulars.decisions.model import CHANNELS
from regulars.errors import Invalid
from regulars.shop import overrides, section
from regulars_ops.stack import Stack


def add_commands(commands: Any) -> None:
    """`regulars channels show|pause|resume [CHANNEL]`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "channels", help="complaints and bounces of each channel; pause or resume its marketing"
    )
    parser.add_argument("action", choices=("show", "pause", "resume"))
    parser.add_argument("channel", nargs="?", choices=CHANNELS)
    parser.set_defaults(run=run)


def run(stack: Stack, chosen: argparse.Namespace) -> int:
    """`show` exits with 1 while a channel is paused."""
    environment = stack.environment("send_message")
    gauges, pauses = DynamoGauges(environment["CHANNELS_TABLE"]), DynamoPauses(environment["CHANNELS_TABLE"])
    if chosen.action == "show":
        health = section(ChannelSettings, "channels", overrides(S3Storage(environment["DATA_BUCKET"]))).health
        standing = pauses.standing()
        for channel in CHANNELS if chosen.channel is None else (chosen.channel,):
            print(line(channel, gauges.load(channel).total, standing.get(channel, ""), health))
        return 1 if standing else 0
    if chosen.channel is None:
        raise Invalid(f"which channel? one of {', '.join(CHANNELS)}", field="channel")
    if chosen.action == "pause":
        now = clock_from(environment.get("CLOCK_SOURCE", "system"))()
        new = pauses.pause(chosen.channel, "operator", at=now)
        print(f"marketing by {chosen.channel} {'is paused' if new else 'was paused before'}; order updates go on")
        return 0
    resumed = start_afresh(gauges, pauses, chosen.channel)
    print(f"marketing by {chosen.channel} {'goes on; its counts start anew' if resumed else 'was not paused'}")
    return 0


def line(channel: str, total: Bucket, paused: str, health: Health) -> str:
    """One channel: what was counted, against what pauses it."""
    sends = max(total.sent, 1)
    state = f"PAUSED ({paused})" if paused else "goes on"
    return (
        f"{channel:6} {state:22} last {total.sent:6} marketing messages: "
        f"{total.complained} complaints ({total.complained / sends:.3%}, pauses at {health.complaint_share:.3%}), "
        f"{total.bounced} permanent bounces ({total.bounced / sends:.2%}, pauses at {health.bounce_share:.2%})"
    )
