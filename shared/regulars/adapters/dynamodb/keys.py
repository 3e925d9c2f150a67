"""Every key of every table is made here, of business ids only: renaming a module or function changes no key.

events        pk shopper            sk <received ms, 13 digits>#<unit id>
profiles      pk shopper            sk profile | order#<order id> | alias#<anonymous shopper>
              pk hash of shopper    sk erased
messages      pk shopper            sk m#<moment id>
contacts      pk shopper            sk contact | consent#<ms, 13 digits>#<channel or topic>
inbox         pk shopper            sk moment id
quarantine    pk <day>#<shard>      sk <hash of what was refused>
timers        pk shopper            sk timer#<kind>#<subject>                          the pointer
              pk due#<day>#<shard>  sk <due ms, 13 digits>#<hash of shopper and timer>  the due index
              pk watermark          sk <shard, 4 digits>
suppressions  pk hash of channel and normalised address
catalogue     pk item#<item id> | stockouts#<shard>
models        pk pointer                       sk <model>
              pk neighbours#<version>#<item>   sk all
              pk versions                      sk <version>
              pk version#<version>             sk <chunk>
              pk popularity#<scope>            sk live
              pk rules                         sk live
channels      pk permit#<channel>#<window>     sk -
              pk paused                        sk <channel>
              pk gauge#<channel>               sk -
offers        pk shopper                       sk coupon#<offer>#<edition>
              pk ending#<hour>#<lane>          sk code                   look-up by code, and what ends in an hour
              pk swept                         sk <sweep>#<lane>
              pk pool#<name>                   sk head                   into how many shards
              pk pool#<name>#<shard>           sk -
              pk tally#<offer>                 sk <lane>
              pk uses#<check>#<hash>           sk -
metrics       pk count#<month>          sk <day>#<group>#<lane>
              pk seen#<stream>#<second> sk -
              pk sketch#<month>         sk <day>#<name>
              pk touch#<shopper>        sk click#<item>#<recommendation> | order#<order id>
"""

from __future__ import annotations

import zlib
from datetime import date

from regulars.clock import from_ms
from regulars.ids import stable_id

Key = dict[str, str]
PROFILE = "profile"
ORDER = "order#"
ALIAS = "alias#"
ERASED = "erased"
CONTACT = "contact"
CONSENT = "consent#"
MESSAGE = "m#"
COUPON = "coupon#"
TIMER = "timer#"
WATERMARK = "watermark"


def message(shopper: str, moment_id: str) -> Key:
    """The ledger entry of one moment."""
    return {"pk": shopper, "sk": f"{MESSAGE}{moment_id}"}


def inbox(shopper: str, moment_id: str) -> Key:
    """One in-app message."""
    return {"pk": shopper, "sk": moment_id}


def contact(shopper: str) -> Key:
    """A shopper's addresses, consent and cap slots."""
    return {"pk": shopper, "sk": CONTACT}


def consent_proof(shopper: str, at_ms: int, subject: str) -> Key:
    """The proof of one change of consent, for good."""
    return {"pk": shopper, "sk": f"{CONSENT}{at_ms:013d}#{subject}"}


def suppression(channel: str, address: str) -> Key:
    """One suppressed address; `address` is normalised. The address itself is nowhere in the key."""
    return {"pk": stable_id("suppressed", channel, address)}


QUARANTINE_SHARDS = range(8)
"""Partitions of a day's quarantine; a record's follows from their number, so it stays while records lie there."""


def quarantine_partition(day: str, shard: int) -> str:
    """One part of a day's rejected entries."""
    return f"{day}#{shard}"


def quarantined(record_id: str) -> Key:
    """The record `<day>.<hash>`; its shard follows from the hash."""
    day, _, digest = record_id.partition(".")
    return {"pk": quarantine_partition(day, zlib.crc32(digest.encode()) % len(QUARANTINE_SHARDS)), "sk": digest}


def counter_month(day: date) -> str:
    """Partition of the counters of a month."""
    return f"count#{day:%Y-%m}"


def counter_row(day: date, group: str, lane: int) -> Key:
    """One row of counters; lanes share the writes of a busy group."""
    return {"pk": counter_month(day), "sk": f"{day:%d}#{group}#{lane}"}


def seen_records(stream: str, second: int) -> Key:
    """Which records of a stream, made in this slice of time, have been counted."""
    return {"pk": f"seen#{stream}#{second}", "sk": "-"}


def sketch_month(day: date) -> str:
    """Partition of the sketches of a month."""
    return f"sketch#{day:%Y-%m}"


def sketch(day: date, name: str) -> Key:
    """One day's sketch."""
    return {"pk": sketch_month(day), "sk": f"{day:%d}#{name}"}


TOUCHED_ITEM = "click#"
TOUCHED_ORDER = "order#"


def touches(shopper: str) -> str:
    """Partition of what attribution keeps of a shopper."""
    return f"touch#{shopper}"


def click_touch(shopper: str, item_id: str, recommendation_id: str) -> Key:
    """A clicked item of a recommendation."""
    return {"pk": touches(shopper), "sk": f"{TOUCHED_ITEM}{item_id}#{recommendation_id}"}


def order_touch(shopper: str, order_id: str) -> Key:
    """An order, for attribution and against counting it twice."""
    return {"pk": touches(shopper), "sk": f"{TOUCHED_ORDER}{order_id}"}


STOCKOUT_SHARDS = 2
"""Set items that hold the ids out of stock. Each costs every recommendation half a read unit per 4 KB; more shards would
only buy write throughput (1,000 units a second each) that stock feeds do not need."""


def catalogue_item(item_id: str) -> Key:
    """One item of the shop."""
    return {"pk": f"item#{item_id}"}


def stockouts(shard: int) -> Key:
    """One part of the ids out of stock."""
    return {"pk": f"stockouts#{shard}"}


def stockout_shard(item_id: str) -> int:
    """The shard whose set names the item; CRC-32, the same in every process."""
    return zlib.crc32(item_id.encode()) % STOCKOUT_SHARDS


def pointer(model: str) -> Key:
    """Which version of a model is live."""
    return {"pk": "pointer", "sk": model}


def neighbours(version: str, item_id: str) -> Key:
    """All relations of one item in one version: one read unit less than a row per relation."""
    return {"pk": f"neighbours#{version}#{item_id}", "sk": "all"}


def model_version(version: str) -> Key:
    """A version whose rows may exist."""
    return {"pk": "versions", "sk": version}


def version_chunk(version: str, chunk: int) -> Key:
    """A list of item ids that a version has rows for, so that it can be deleted without a scan."""
    return {"pk": f"version#{version}", "sk": f"{chunk:06d}"}


def popularity(scope: str) -> Key:
    """What sells in one scope."""
    return {"pk": f"popularity#{scope}", "sk": "live"}


def merchandising_rules() -> Key:
    """The operator's rules for recommendations."""
    return {"pk": "rules", "sk": "live"}


def timer(shopper: str, kind: str, subject: str) -> Key:
    """The pointer of one timer: the truth about when it is due."""
    return {"pk": shopper, "sk": f"{TIMER}{kind}#{subject}"}


def due_partition(due_ms: int, shard: int) -> str:
    """The due index by UTC day and shard."""
    return f"due#{from_ms(due_ms):%Y-%m-%d}#{shard}"


def due(due_ms: int, shard: int, shopper: str, key: str) -> Key:
    """One entry of the due index; shopper and timer are hashed so that the longest ids fit the sort key."""
    return {"pk": due_partition(due_ms, shard), "sk": f"{due_ms:013d}#{stable_id(shopper, key)}"}


def watermark(shard: int) -> Key:
    """How far the tick has read a shard."""
    return {"pk": WATERMARK, "sk": f"{shard:04d}"}


def event(shopper: str, received_ms: int, unit_id: str) -> Key:
    """One unit in the log."""
    return {"pk": shopper, "sk": f"{received_ms:013d}#{unit_id}"}


def profile(shopper: str) -> Key:
    """A shopper's record."""
    return {"pk": shopper, "sk": PROFILE}


def order(shopper: str, order_id: str) -> Key:
    """One order of a shopper."""
    return {"pk": shopper, "sk": f"{ORDER}{order_id}"}


def alias(shopper: str, anonymous: str) -> Key:
    """The note that an anonymous shopper joined this one."""
    return {"pk": shopper, "sk": f"{ALIAS}{anonymous}"}


def erased(shopper: str) -> Key:
    """The note that a shopper was erased; her name is nowhere in it."""
    return {"pk": stable_id("erased", shopper), "sk": ERASED}


def coupon(shopper: str, offer: str, edition: str) -> Key:
    """One shopper's coupon of one offer and occasion."""
    return {"pk": shopper, "sk": f"{COUPON}{offer}#{edition}"}


def pool(name: str, shard: int) -> Key:
    """One shard of what is limited: how much of it is taken."""
    return {"pk": f"pool#{name}#{shard}", "sk": "-"}


def permits(channel: str, window: int) -> Key:
    """How many calls of one window are given away."""
    return {"pk": f"permit#{channel}#{window}", "sk": "-"}


PAUSED = "paused"


def pause(channel: str) -> Key:
    """That marketing of a channel stands still."""
    return {"pk": PAUSED, "sk": channel}


def gauge(channel: str) -> Key:
    """The health of a channel."""
    return {"pk": f"gauge#{channel}", "sk": "-"}


def coupon_code(hour: int, lane: int, code: str) -> Key:
    """The row that a code names: whose coupon it is, among those that end in the same hour."""
    return {"pk": f"ending#{hour}#{lane}", "sk": code}


def swept(name: str, lane: int) -> Key:
    """How far a sweep of the coupons has read a lane."""
    return {"pk": "swept", "sk": f"{name}#{lane}"}


def pool_head(name: str) -> Key:
    """Into how many shards a pool is split."""
    return {"pk": f"pool#{name}", "sk": "head"}


def tally(offer: str, lane: int) -> Key:
    """Part of an offer's counts."""
    return {"pk": f"tally#{offer}", "sk": str(lane)}


def uses(check: str, digest: str) -> Key:
    """The orders with a coupon from one device, address or shopper."""
    return {"pk": f"uses#{check}#{digest}", "sk": "-"}
