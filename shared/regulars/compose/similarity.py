"""Similarity: the scheduled builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regulars import settings
from regulars.compose.loading import settings_and_clock

if TYPE_CHECKING:
    from regulars.similarity.service import BuildPopularity, BuildSimilarity


def build_similarity(environ: Mapping[str, str] | None = None) -> BuildSimilarity:
    """Archive, models, settings."""
    from functools import partial

    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.shop import overrides, section
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildSimilarity

    loaded, clock = settings_and_clock(settings.BuildSimilarity, environ)
    storage = S3Storage(loaded.data_bucket)
    return BuildSimilarity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        storage=storage,
        settings=section(SimilaritySettings, "similarity", overrides(storage)),
        clock=clock,
        log=_told,
    )


def build_popularity(environ: Mapping[str, str] | None = None) -> BuildPopularity:
    """Archive, models, catalogue, the data bucket for the snapshot."""
    from functools import partial

    from regulars.adapters.dynamodb.catalogue import DynamoCatalogue
    from regulars.adapters.dynamodb.models import DynamoModels
    from regulars.adapters.storage.s3 import S3Storage
    from regulars.capture.archive import read
    from regulars.shop import overrides, section
    from regulars.similarity.config import SimilaritySettings
    from regulars.similarity.service import BuildPopularity

    loaded, clock = settings_and_clock(settings.BuildPopularity, environ)
    storage = S3Storage(loaded.data_bucket)
    return BuildPopularity(
        archive=partial(read, storage),
        models=DynamoModels(loaded.models_table),
        catalogue=DynamoCatalogue(loaded.catalogue_table),
        storage=storage,
        settings=section(SimilaritySettings, "similarity", overrides(storage)),
        clock=clock,
        log=_told,
    )


def _told(message: str, facts: Mapping[str, Any]) -> None:
    """A fact of a build in the function's structured log."""
    from regulars.adapters.lambda_batch import logger

    logger().info(message, extra={"facts": dict(facts)})
