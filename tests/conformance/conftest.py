"""The ledgers that all keep the same promises."""

from __future__ import annotations

import pytest
from tests.support.ledger import Books


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Books:
    """A ledger with its contacts and suppressions, on each kind of store."""
    if request.param == "memory":
        from regulars.adapters.memory.contacts import MemoryContacts
        from regulars.adapters.memory.messages import MemoryLedger
        from regulars.adapters.memory.suppressions import MemorySuppressions

        contacts, suppressions = MemoryContacts(), MemorySuppressions()
        return Books(MemoryLedger(contacts, suppressions), contacts, suppressions)
    from regulars.adapters.dynamodb.contacts import DynamoContacts
    from regulars.adapters.dynamodb.messages import DynamoLedger
    from regulars.adapters.dynamodb.suppressions import DynamoSuppressions

    create = request.getfixturevalue("create_table")
    create("messages", True)
    create("contacts", True)
    create("suppressions", False)
    return Books(
        DynamoLedger("messages", "contacts", "suppressions"), DynamoContacts("contacts"), DynamoSuppressions("suppressions")
    )
