"""Operation: the operator's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from regulars import settings
from regulars.compose.capture import make_collector
from regulars.compose.feedback import make_ledger
from regulars.compose.loading import settings_and_clock
from regulars.compose.metrics import reports
from regulars.compose.profiles import profile_reader

if TYPE_CHECKING:
    from regulars.catalogue.importing import Importer
    from regulars.decisions.explain import Explain
    from regulars.operation.http import OperatorApi
    from regulars.recommendations.rulebook import Rulebook


def serve_operator(environ: Mapping[str, str] | None = None) -> OperatorApi:
    """Keys now; the catalogue, rules, quarantine, explanations and reports when a route asks for them."""
    from regulars.access import Keys
    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.quarantine import DynamoQuarantine
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.operation.http import OperatorApi

    loaded, clock = settings_and_clock(settings.ServeOperator, environ)
    storage = S3Storage(loaded.data_bucket)

    def importer() -> Importer:
        from regulars.catalogue.config import CatalogueSettings
        from regulars.catalogue.importing import Importer
        from regulars.catalogue.snapshot import publisher
        from regulars.shop import overrides, section

        config = section(CatalogueSettings, "catalogue", overrides(storage))
        return Importer(DynamoCatalogue(loaded.catalogue_table), config, clock, publisher(storage, clock))

    def rulebook() -> Rulebook:
        from regulars.adapters.dynamodb.models import DynamoModels
        from regulars.recommendations.rulebook import Rulebook

        return Rulebook(DynamoModels(loaded.models_table), clock, DynamoCatalogue(loaded.catalogue_table).get)

    def explain() -> Explain:
        from regulars.adapters.dynamodb.contacts import DynamoContacts
        from regulars.adapters.dynamodb.limits import DynamoPauses
        from regulars.decisions.config import Decisions
        from regulars.decisions.explain import Explain
        from regulars.shop import overrides, section

        changed = overrides(storage)
        ledger = make_ledger(loaded.messages_table, loaded.contacts_table, "")  # reads only: claims alone need suppressions
        profiles, contacts = profile_reader(loaded.profiles_table, changed), DynamoContacts(loaded.contacts_table)
        paused = DynamoPauses(loaded.channels_table).standing
        return Explain(profiles, contacts, ledger, clock, section(Decisions, "decisions", changed), paused)

    return OperatorApi(
        keys=Keys(loaded.operator_key_hashes, "operator"),
        clock=clock,
        catalogue=lambda: DynamoCatalogue(loaded.catalogue_table),
        importer=importer,
        rulebook=rulebook,
        quarantine=lambda: DynamoQuarantine(loaded.quarantine_table),
        collector=lambda: make_collector(loaded, clock, storage),
        explain=explain,
        reports=lambda: reports(loaded.metrics_table, storage, clock),
    )
