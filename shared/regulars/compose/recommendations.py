"""Recommendations: the API and what the arbiter borrows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.clock import Clock
from regulars.compose.loading import settings_and_clock
from regulars.compose.profiles import profile_reader
from regulars.compose.rarely import rarely

if TYPE_CHECKING:
    from regulars.recommendations.http import RecommendationsApi
    from regulars.recommendations.search.http import SearchApi
    from regulars.recommendations.service import Recommend
    from regulars.storage import Storage


def serve_recommendations(environ: Mapping[str, str] | None = None) -> RecommendationsApi:
    """Write keys, the two round trips, the catalogue in memory."""
    from regulars.access import Keys
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.recommendations.http import RecommendationsApi
    from regulars.shop import overrides

    loaded, clock = settings_and_clock(settings.ServeRecommendations, environ)
    storage = S3Storage(loaded.data_bucket)
    recommend = recommender(
        storage, clock, overrides(storage), loaded.profiles_table, loaded.models_table, loaded.catalogue_table
    )
    return RecommendationsApi(Keys(loaded.write_key_hashes, "write"), recommend)


def serve_search(api: RecommendationsApi, environ: Mapping[str, str] | None = None) -> SearchApi:
    """Search beside the recommendations, from the same sources and catalogue; composed by the first search."""
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.catalogue.config import CatalogueSettings
    from regulars.recommendations.search.http import SearchApi
    from regulars.recommendations.search.reading import IndexReader
    from regulars.recommendations.search.service import Search
    from regulars.recommendations.search.suggesting import Suggest
    from regulars.shop import overrides, section

    loaded, clock = settings_and_clock(settings.ServeRecommendations, environ)
    storage = S3Storage(loaded.data_bucket)
    check_seconds = section(CatalogueSettings, "catalogue", overrides(storage)).snapshot_check_seconds
    recommend = api.recommend
    index = IndexReader(storage, clock, check_seconds, recommend.settings.search, recommend.log)
    search = Search(recommend.sources, recommend.snapshot, index, recommend.settings, clock, recommend.log)
    return SearchApi(api.keys, search, Suggest(search))


def recommender(
    storage: Storage, clock: Clock, changed: Mapping[str, Any], profiles_table: str, models_table: str, catalogue_table: str
) -> Recommend:
    """What answers recommendations, for apps and (`recommendations.picking.Picking`) for messages."""
    from regulars.adapters.dynamodb.sources import DynamoSources
    from regulars.catalogue.config import CatalogueSettings
    from regulars.catalogue.snapshot import SnapshotReader
    from regulars.needs.reading import RebuyingReader
    from regulars.recommendations.config import RecommendationSettings
    from regulars.recommendations.sequences import SequenceReader
    from regulars.recommendations.service import Recommend
    from regulars.shop import section

    config = section(RecommendationSettings, "recommendations", changed)
    check_seconds = section(CatalogueSettings, "catalogue", changed).snapshot_check_seconds
    return Recommend(
        sources=DynamoSources(
            profile_reader(profiles_table, changed),
            models_table,
            catalogue_table,
            common_seconds=config.common_seconds,
            cache_rows=config.cache_rows,
        ),
        snapshot=SnapshotReader(storage, clock, check_seconds),
        settings=config,
        clock=clock,
        log=rarely(_warned),
        count=rarely(_counted),
        read_sequence=SequenceReader(storage),
        read_rebuying=RebuyingReader(storage, clock, check_seconds),
    )


def _warned(message: str, facts: Mapping[str, Any]) -> None:
    """Something is broken and was lived with."""
    from regulars.adapters.lambda_batch import logger

    logger().warning(message, extra={"facts": dict(facts)})


def _counted(metric: str) -> None:
    """What the alarms of infra/stacks/recommendations.yaml look at."""
    from regulars.adapters.counters import count

    count({metric: 1})
