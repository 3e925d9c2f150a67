"""Similarity: the scheduled builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.similarity.bulk import BuildWhereItFits, Bulk
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildPopularity


def build_similarity(environ: Mapping[str, str] | None = None) -> BuildWhereItFits:
    """Archive, models, settings; Spark where the stack was deployed with it."""
    from functools import partial

    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import objects, read
    from regulars.shop import overrides, section
    from regulars.similarity.bulk import BuildWhereItFits
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildSimilarity

    loaded, clock = settings_and_clock(settings.BuildSimilarity, environ)
    storage = S3Storage(loaded.data_bucket)
    chosen = section(SimilaritySettings, "similarity", overrides(storage))
    here = BuildSimilarity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        storage=storage,
        settings=chosen,
        clock=clock,
        log=_told,
    )
    return BuildWhereItFits(
        here=here,
        archive_bytes=lambda since: sum(size for _, size in objects(storage, since)),
        bulk=_bulk(loaded, chosen),
        settings=chosen,
        clock=clock,
        log=_told,
    )


def _bulk(loaded: settings.BuildSimilarity, chosen: SimilaritySettings) -> Bulk | None:
    """Spark on EMR Serverless; None where the stack has none."""
    from regulars.adapters.spark.emr import EmrServerless

    if not loaded.bulk_application_id:
        return None
    names = (loaded.bulk_application_id, loaded.bulk_job_role_arn, loaded.data_bucket, loaded.models_table)
    return EmrServerless(*names, chosen.bulk)


def build_popularity(environ: Mapping[str, str] | None = None) -> BuildPopularity:
    """Archive, models, catalogue, the data bucket for the snapshot and the search index."""
    from functools import partial

    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.recommendations.config import RecommendationSettings
    from regulars.recommendations.search.publishing import PublishSearch
    from regulars.shop import overrides, section
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildPopularity

    loaded, clock = settings_and_clock(settings.BuildPopularity, environ)
    storage = S3Storage(loaded.data_bucket)
    changed = overrides(storage)
    return BuildPopularity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        storage=storage,
        settings=section(SimilaritySettings, "similarity", changed),
        clock=clock,
        log=_told,
        search=PublishSearch(storage, section(RecommendationSettings, "recommendations", changed).search),
    )


def _told(message: str, facts: Mapping[str, Any]) -> None:
    """A fact of a build in the function's structured log."""
    from regulars.adapters.lambda_batch import logger

    logger().info(message, extra={"facts": dict(facts)})
