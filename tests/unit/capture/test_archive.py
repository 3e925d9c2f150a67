"""The archive: each event once, whatever the stream does; made anew from the log; and both end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.support.shoppers import DAY, HOUR, NOON, SHE, event

from regulars.adapters.lambda_batch import StreamRecord
from regulars.adapters.memory.events import MemoryEventLog
from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.adapters.memory.storage import MemoryStorage
from regulars.capture.archive import ArchiveEvents, read, restore
from regulars.capture.model import Event
from regulars.capture.packing import pack
from regulars.capture.ports import Quarantined
from regulars.clock import to_ms
from regulars.privacy.config import Privacy
from regulars.privacy.retention import EnforceRetention
from regulars.shop import section

LONG_AGO = NOON - 3000 * DAY


def change(sequence: int, events: Sequence[Event], action: str = "INSERT") -> StreamRecord:
    received = to_ms(events[0].received_at)
    image: dict[str, Any] = {"pk": SHE, "sk": str(sequence), "events": pack(events), "received": received}
    return StreamRecord("events", action, f"{sequence:021d}", received // 1000, image, {})


def test_a_batch_is_an_object_a_day_and_comes_back() -> None:
    storage = MemoryStorage()
    views = [event(at=NOON + n * 6 * HOUR) for n in range(8)]
    assert ArchiveEvents(storage)([change(n, [view]) for n, view in enumerate(views)]) == 8
    assert [key.split("/")[1] for key in storage.objects] == ["day=2026-03-02", "day=2026-03-03", "day=2026-03-04"]
    assert list(read(storage, LONG_AGO)) == views
    assert list(read(storage, NOON + 12 * HOUR)) == views[2:]


def test_batches_again_and_cut_otherwise_add_nothing() -> None:
    storage = MemoryStorage()
    archive = ArchiveEvents(storage)
    records = [change(n, [event(at=NOON + n * HOUR)]) for n in range(6)]
    for batch in (records, records, records[:3], records[2:], records[5:]):
        archive(batch)
    assert len(list(read(storage, LONG_AGO))) == 6


def test_the_same_message_id_of_another_shopper_is_another_event() -> None:
    storage = MemoryStorage()
    ArchiveEvents(storage)([change(0, [event(id="m"), event(id="m", shopper="user:other")])])
    assert len(list(read(storage, LONG_AGO))) == 2


def test_changes_and_deletions_of_log_items_add_nothing() -> None:
    storage = MemoryStorage()
    deletion = StreamRecord("events", "REMOVE", "1", 0, {}, {"pk": SHE})
    assert ArchiveEvents(storage)([change(0, [event()], "MODIFY"), deletion]) == 0
    assert not storage.objects


def test_a_day_is_made_anew_from_the_log() -> None:
    storage, log = MemoryStorage(), MemoryEventLog()
    views = [event(at=NOON + n * HOUR) for n in range(3)]
    for number, view in enumerate(views):
        log.append(SHE, f"u{number}", view.received_at, [view], 730)
    ArchiveEvents(storage)([change(0, views[:1]), change(1, [event(id="stray")])])
    for _ in range(2):
        assert restore(log, storage, NOON.date()) == 3
        assert list(read(storage, LONG_AGO)) == views
    assert list(storage.objects) == ["archive/day=2026-03-02/log-000000.jsonl.gz"]


def test_what_has_outlived_its_retention_goes() -> None:
    config = section(Privacy, "privacy").retention
    storage, log, quarantine = MemoryStorage(), MemoryEventLog(), MemoryQuarantine()
    ages = (1, config.events_days - 1, config.events_days + 1, config.archive_days + 2)
    for age in ages:
        at = NOON - age * DAY
        log.append(SHE, f"u{age}", at, [event(at=at)], config.events_days)
        ArchiveEvents(storage)([change(age, [event(at=at)])])
        expires = at + timedelta(days=30)
        quarantine.put([Quarantined(**_entry(age), received_at=at, expires_at=expires)])
    stores = {"log": log, "quarantine": quarantine, "storage": storage}
    run = EnforceRetention(**stores, config=config, clock=lambda: NOON, erasures=lambda: 7)  # type: ignore[arg-type]
    assert run() == {"erasures": 7, "events": 2, "quarantine": 3, "archive": 1}
    assert run() == {"erasures": 7, "events": 0, "quarantine": 0, "archive": 0}
    assert len(list(read(storage, LONG_AGO))) == 3


def _entry(number: int) -> dict[str, Any]:
    return {
        "id": f"2026-03-02.{number}",
        "code": "x",
        "message": "",
        "field": "",
        "source": "batch",
        "raw": "{}",
        "replayable": True,
    }
