"""Budgets: which pools of money a message draws on, and how much of each. Money is in micro-cents (10⁻⁶ cent).

The decision looks at what is left and passes over what cannot be paid; the claim takes the parts in its own transaction and
so decides. A pool is named by budget and period; its units lie on shards whose limits make up the budget exactly, so that
racing claims can neither overspend it nor wait for one another. A message pays from one shard while one has room, else from
several in the same transaction: what is left over in many shards can be spent, and an amount may be larger than any shard.

Prices of channels and budgets are in `decisions.currency`; a coupon in another is never paid from a budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regulars.decisions.config import Decisions
from regulars.decisions.gate import coupon_cents
from regulars.decisions.holdout import campaign_of
from regulars.decisions.limits import PER_DAY, PER_MONTH, Budget
from regulars.decisions.model import Message
from regulars.decisions.zones import shop_zone
from regulars.ids import short_hash
from regulars.offers.model import Take

MICRO = 1_000_000
"""Micro-cents of a cent."""
MOST_PARTS = 80
"""Shards that one message pays from, over all its budgets: a transaction takes 100 entries (DynamoDB, TransactWriteItems), and
the message, contact, coupon and its stock are among them."""
PREFIX = "budget#"


@dataclass(frozen=True, slots=True)
class Purse:
    """One budget's pool of the present period, as a decision reads it: `limit` micro-cents over `shards`."""

    budget: str
    pool: str
    limit: int
    shards: int


def spends_of(message: Message, config: Decisions, now: datetime) -> tuple[Take, ...]:
    """What the claim of `message` takes: the channel's price and its coupon's expected cost, of every budget that pays.

    Order updates draw on none. The shard is the message's own; where that has no room `spread` finds others.
    """
    kind = config.kinds.get(message.kind)
    amount = cost_of(message.channel, config, coupon_cents(message.content))
    if (kind and kind.transactional) or amount <= 0:
        return ()
    first = int.from_bytes(short_hash("budget", message.shopper, message.moment_id, size=4), "big")
    takes = []
    for purse in purses(message.kind, message.campaign, config, now):
        shard = first % purse.shards
        takes.append(Take(pool=purse.pool, shard=shard, amount=amount, limit=part_of(purse.limit, purse.shards, shard)))
    return tuple(takes)


def spread(take: Take, purse: Purse, taken: Sequence[int], parts: int) -> tuple[Take, ...]:
    """`take.amount` from shards that have room, by what is `taken` of each: from one if any has it all, `take`'s own first,
    else from up to `parts`, those with most room first. () when there is not so much left in them."""
    rooms = [max(0, part_of(purse.limit, purse.shards, shard) - units) for shard, units in enumerate(taken)]
    ring = [(take.shard + step) % purse.shards for step in range(purse.shards)]
    whole = next((shard for shard in ring if rooms[shard] >= take.amount), None)
    shards = sorted(ring, key=lambda shard: -rooms[shard])[:parts] if whole is None else [whole]
    takes, left = [], take.amount
    for shard in shards:
        amount = min(left, rooms[shard])
        if amount:
            takes.append(replace(take, shard=shard, amount=amount, limit=part_of(purse.limit, purse.shards, shard)))
        left -= amount
    return () if left else tuple(takes)


def in_reach(amount: int, purse: Purse, paying: int) -> bool:
    """Whether a message of `amount`, for which `paying` budgets pay, could be paid from an untouched purse."""
    limits = sorted((part_of(purse.limit, purse.shards, shard) for shard in range(purse.shards)), reverse=True)
    return amount <= sum(limits[: parts_each(paying)])


def parts_each(paying: int) -> int:
    """From how many shards of each of `paying` budgets a message may pay."""
    return max(1, MOST_PARTS // max(1, paying))


def purses(kind: str, campaign: str, config: Decisions, now: datetime) -> list[Purse]:
    """The pools that pay for a campaign now."""
    name = campaign_of(kind, campaign)
    return [
        Purse(budget_name, _pool(budget_name, budget, name, config, now), budget.limit_cents * MICRO, budget.shards)
        for budget_name, budget in config.budgets.items()
        if not budget.campaigns or name in budget.campaigns
    ]


def unaffordable(
    channels: Iterable[str],
    paying: Iterable[Purse],
    spent: Mapping[str, int],
    config: Decisions,
    coupon_cost_cents: int = 0,
    currency: str = "",
) -> dict[str, str]:
    """Channel → the budget that cannot pay for one more message there. `spent`: pool → micro-cents over all its shards;
    `currency`: of the coupon's cost."""
    found: dict[str, str] = {}
    for channel in channels:
        amount = cost_of(channel, config, coupon_cost_cents)
        for purse in paying:
            too_much = amount > 0 and spent.get(purse.pool, 0) + amount > purse.limit
            if too_much or not pays_in(currency, coupon_cost_cents, config):
                found[channel] = purse.budget
    return found


def pays_in(currency: str, coupon_cost_cents: int, config: Decisions) -> bool:
    """Whether the budgets can pay for a coupon with this cost: it has none, or it is in their currency."""
    return not coupon_cost_cents or currency == config.currency


def cost_of(channel: str, config: Decisions, coupon_cost_cents: int = 0) -> int:
    """Micro-cents of one message: what the channel asks, to the micro-cent, and what its coupon will cost on average."""
    known = config.channels.get(channel)
    return round((known.cost_cents if known else 0.0) * MICRO) + coupon_cost_cents * MICRO


def part_of(limit: int, shards: int, shard: int) -> int:
    """The shard's part of a limit; the parts sum to it."""
    whole, rest = divmod(limit, shards)
    return whole + (1 if shard < rest else 0)


def _pool(name: str, budget: Budget, campaign: str, config: Decisions, now: datetime) -> str:
    if budget.per in (PER_DAY, PER_MONTH):
        local = now.astimezone(shop_zone(config.place))
        return f"{PREFIX}{name}#{local:%Y-%m-%d}" if budget.per == PER_DAY else f"{PREFIX}{name}#{local:%Y-%m}"
    return f"{PREFIX}{name}#campaign#{campaign}"
