"""5,000 random operations on memory and on DynamoDB: the same answers, the same errors, the same state at the end.

The simulator runs on the memory adapters; what it proves holds for DynamoDB as far as the two are alike. Where they are
known to differ is written in DIVERGENCES; the long form looks for each entry, so that it cannot outlive its cause. CI runs
400 operations, REGULARS_SIMULATE=long all of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from tests.conformance.operations import SHARDS, Books, Operations, state_of
from tests.conftest import CreateTable
from tests.simulation.figures import tell

from regulars.errors import RegularsError

SEEDS = range(1, 6)
LONG = os.environ.get("REGULARS_SIMULATE") == "long"
EACH = 1_000 if LONG else 80
CLAIMS = ("not_planned", "contact_changed", "coupon_held", "pool_empty")
TABLES = {"messages": True, "contacts": True, "suppressions": False, "offers": True, "timers": True, "channels": True}

Answers = tuple[object, object]
DIVERGENCES: Mapping[tuple[str, Answers], str] = {
    ("claim", (("Conflict", "not_planned"), ("Conflict", "suppressed"))): "memory names the first condition that fails; "
    "DynamoDB reads the suppression before the transaction. The caller closes a suppressed message, which does nothing to one "
    "that is over or claimed, and is right for one that waits.",
}
"""(operation, (memory's answer, DynamoDB's)) → why that harms nobody."""


def in_memory() -> Books:
    from regulars.adapters.memory.contacts import MemoryContacts
    from regulars.adapters.memory.limits import MemoryPauses, MemoryPermits
    from regulars.adapters.memory.messages import MemoryLedger
    from regulars.adapters.memory.offers import MemoryOffers
    from regulars.adapters.memory.suppressions import MemorySuppressions
    from regulars.adapters.memory.timers import MemoryTimers

    contacts, suppressions, offers = MemoryContacts(), MemorySuppressions(), MemoryOffers()
    return Books(
        ledger=MemoryLedger(contacts, suppressions, offers),
        contacts=contacts,
        suppressions=suppressions,
        offers=offers,
        timers=MemoryTimers(SHARDS),
        permits=MemoryPermits(),
        pauses=MemoryPauses(),
    )


def in_dynamodb(create_table: CreateTable, suffix: str) -> Books:
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.limits import DynamoPauses, DynamoPermits
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.offers import DynamoOffers
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions
    from regulars.adapters.dynamodb.timers import DynamoTimers

    tables = {name: create_table(f"{name}{suffix}", has_sort_key) for name, has_sort_key in TABLES.items()}
    return Books(
        ledger=DynamoLedger(tables["messages"], tables["contacts"], tables["suppressions"], tables["offers"]),
        contacts=DynamoContacts(tables["contacts"]),
        suppressions=DynamoSuppressions(tables["suppressions"]),
        offers=DynamoOffers(tables["offers"]),
        timers=DynamoTimers(tables["timers"], SHARDS),
        permits=DynamoPermits(tables["channels"]),
        pauses=DynamoPauses(tables["channels"]),
    )


def answer(operation: Callable[[Books], Any], books: Books) -> Any:
    """What it returned, or the error in our words; anything else that is raised fails the test."""
    try:
        return operation(books)
    except RegularsError as error:
        return type(error).__name__, error.code


def test_memory_and_dynamodb_answer_alike(create_table: CreateTable) -> None:
    endings: Counter[str] = Counter()
    diverged: Counter[tuple[str, Answers]] = Counter()
    for seed in SEEDS:
        memory, dynamodb = in_memory(), in_dynamodb(create_table, f"-{seed}")
        for number, (name, operation) in enumerate(islice(Operations(seed), EACH)):
            here, there = answer(operation, memory), answer(operation, dynamodb)
            if here != there:
                assert (name, (here, there)) in DIVERGENCES, f"seed {seed}, operation {number}: {name}: {here} or {there}"
                diverged[name, (here, there)] += 1
            failed = isinstance(here, tuple) and len(here) == 2 and isinstance(here[0], str)
            endings[f"{name}: {here[1]}" if failed else name] += 1
        assert state_of(memory) == state_of(dynamodb), f"seed {seed}"
    if not LONG:
        return
    assert diverged.keys() == DIVERGENCES.keys(), "a divergence that is not met any more is to be struck off"
    assert {f"claim: {code}" for code in CLAIMS} | {"finish: token_lost", "redeem: uses_changed"} <= endings.keys()
    met = sum(diverged.values())
    tell("random operations", operations=EACH * len(SEEDS), the_listed_divergence=met, **dict(sorted(endings.items())))
