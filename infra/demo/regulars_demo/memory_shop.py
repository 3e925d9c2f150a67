"""The sample shop in memory: two years of the sample through the real capture, sweep and builds, on memory adapters.

No stack, no clock file, no waiting: for pages that show what the shop answers. Real data and simulated browsing are those of
the demonstration (see history.py and simulated.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from regulars.adapters.memory.catalogue import MemoryCatalogue
from regulars.adapters.memory.contacts import MemoryContacts
from regulars.adapters.memory.events import MemoryEventLog
from regulars.adapters.memory.models import MemoryModels
from regulars.adapters.memory.profiles import MemoryProfiles
from regulars.adapters.memory.quarantine import MemoryQuarantine
from regulars.adapters.memory.queues import MemoryQueue
from regulars.adapters.memory.sources import MemorySources
from regulars.adapters.memory.storage import MemoryStorage
from regulars.capture.applying import CaptureEvents
from regulars.capture.collecting import Collector
from regulars.capture.config import Capture
from regulars.capture.model import Event
from regulars.catalogue.config import CatalogueSettings
from regulars.catalogue.importing import Importer
from regulars.catalogue.snapshot import load, publish
from regulars.messages import EventUnit
from regulars.privacy.config import Privacy
from regulars.profiles.config import ProfilesConfig
from regulars.profiles.reading import ProfileReader
from regulars.profiles.rules import load_rules
from regulars.profiles.sweep import SweepLifecycle
from regulars.recommendations.config import RecommendationSettings
from regulars.recommendations.rulebook import Rulebook
from regulars.recommendations.search.publishing import PublishSearch
from regulars.recommendations.service import Recommend
from regulars.shop import parse_yaml, section
from regulars.similarity.config import SimilaritySettings
from regulars.similarity.service import BuildPopularity, BuildSimilarity
from regulars_demo import history, simulated

FOLDER = Path(__file__).resolve().parents[1]
SHOP, RULES = FOLDER / "shop.yaml", FOLDER / "rules.yaml"


@dataclass
class MemoryShop:
    """The shop on the evening after the sample's last day; `now` is what its clock says."""

    now: datetime = field(init=False)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.changed: Mapping[str, Any] = parse_yaml(SHOP.read_text("utf-8"))
        self.storage, self.models, self.catalogue = MemoryStorage(), MemoryModels(), MemoryCatalogue()
        self.store = MemoryProfiles()
        self.config = section(ProfilesConfig, "profiles", self.changed)
        self.settings = section(RecommendationSettings, "recommendations", self.changed)
        self.profiles = ProfileReader(self.store, self.config.weights)
        invoices = history.invoices()
        self.now = invoices[0].at
        self._import()
        self._replay(invoices)
        self.now = (invoices[-1].at + timedelta(days=1)).replace(hour=20, minute=0, second=0)
        self._sweep()
        self._build()
        Rulebook(self.models, self.clock, self.catalogue.get).replace(RULES.read_bytes())

    def clock(self) -> datetime:
        """The shop's time."""
        return self.now

    def recommend(self) -> Recommend:
        """What answers."""
        snapshot, sources = load(self.storage), MemorySources(self.profiles, self.models, self.catalogue)
        return Recommend(sources, lambda: snapshot, self.settings, self.clock, _unheard)

    def shoppers(self) -> Iterator[str]:
        """Everybody with a profile of their own, in order of their numbers."""
        return iter(sorted(name for name in self.store.records if name.startswith("user:")))

    def _import(self) -> None:
        rows = "\n".join(json.dumps(row) for row in history.catalogue())
        config = section(CatalogueSettings, "catalogue", self.changed)
        Importer(self.catalogue, config, self.clock).import_file(rows.encode(), "jsonl")
        publish(self.storage, self.catalogue.scan(), self.now)

    def _replay(self, invoices: list[history.Invoice]) -> None:
        """Every call of the sample and the simulated ones, each received when it happened."""
        capture, queue, quarantine = section(Capture, "capture", self.changed), MemoryQueue(), MemoryQuarantine()
        collector = Collector(capture.collecting, queue, quarantine, self.clock)
        apply = CaptureEvents(
            profiles=self.store,
            log=MemoryEventLog(),
            contacts=MemoryContacts(),
            catalogue=self.catalogue,
            quarantine=quarantine,
            config=self.config,
            rules=load_rules(None, self.config.festivals),
            keep_days=section(Privacy, "privacy", self.changed).retention.events_days,
            quarantine_days=capture.collecting.quarantine_days,
            clock=self.clock,
            count=_unheard,
        )
        last = invoices[-1].at
        calls = simulated.calls(invoices, "", lambda call: datetime.fromisoformat(call["timestamp"]) <= last)
        for call in sorted(calls, key=lambda call: str(call["timestamp"])):
            self.now = datetime.fromisoformat(call["timestamp"])
            collector.collect(call["type"], call)
            for unit in queue.messages:
                if isinstance(unit, EventUnit):
                    apply(unit)
                    self.events += [Event.from_wire(wire) for wire in unit.events]
            queue.sent.clear()

    def _sweep(self) -> None:
        SweepLifecycle(
            profiles=self.store,
            moments=MemoryQueue(),
            storage=self.storage,
            config=self.config,
            rules=load_rules(None, self.config.festivals),
            clock=self.clock,
            report=_unheard,
        )()

    def _build(self) -> None:
        settings = section(SimilaritySettings, "similarity", self.changed)
        search = PublishSearch(self.storage, self.settings.search)
        common = (self.models, self.storage, settings, self.clock, _unheard)
        BuildSimilarity(self._archive, *common)()
        BuildPopularity(self._archive, self.models, self.catalogue, *common[1:], search)()

    def _archive(self, since: datetime) -> Iterator[Event]:
        return (event for event in self.events if event.received_at >= since)


def _unheard(*_: Any) -> None:
    """Logs and counts of a page that is made now and then interest nobody."""
