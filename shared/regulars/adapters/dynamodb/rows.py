"""The items whose shape never changes, as PynamoDB models; their keys are made in `keys`.

Attribute names are the stored ones. Instants are epoch milliseconds, except `expires_at`: seconds, for DynamoDB's TTL.
"""

from __future__ import annotations

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, TTLAttribute, UnicodeAttribute

from regulars.adapters.dynamodb.pynamo import InstantAttribute, Row, SortedRow, WholeNumberAttribute


class EventRow(SortedRow):
    """One unit of the log; `events` is packed (see `regulars.capture.packing`)."""

    events = BinaryAttribute(legacy_encoding=False)
    received = InstantAttribute()
    expires_at = TTLAttribute()


class QuarantineRow(SortedRow):
    """One rejected entry; `raw` is its JSON text."""

    code = UnicodeAttribute()
    message = UnicodeAttribute()
    field = UnicodeAttribute()
    source = UnicodeAttribute()
    raw = UnicodeAttribute()
    replayable = BooleanAttribute()
    received = InstantAttribute()
    expires_at = TTLAttribute()


class SuppressionRow(Row):
    """One suppressed address, which only the hash in `pk` knows."""

    channel = UnicodeAttribute()
    reason = UnicodeAttribute()
    at = InstantAttribute()


class ClickRow(SortedRow):
    """The first click on an item of a recommendation; `event` told it."""

    recommendation = UnicodeAttribute()
    scene = UnicodeAttribute()
    item = UnicodeAttribute()
    position = WholeNumberAttribute()
    at = InstantAttribute()
    event = UnicodeAttribute()
    expires_at = TTLAttribute()


class OrderRow(SortedRow):
    """An order; `credited`, the message that earned it, is absent while there is none."""

    order = UnicodeAttribute()
    at = InstantAttribute()
    value_cents = WholeNumberAttribute()
    currency = UnicodeAttribute()
    event = UnicodeAttribute()
    scene = UnicodeAttribute()
    credited = UnicodeAttribute(null=True)
    expires_at = TTLAttribute()
