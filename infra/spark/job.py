"""build_similarity on many machines: what EMR Serverless runs. The package comes as `--py-files regulars.zip`.

spark-submit --py-files regulars.zip job.py --version 1785974400000 --bucket DATA --models-table MODELS
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pyspark import SparkContext, StorageLevel

from regulars.adapters.dynamodb.models import DynamoModels
from regulars.adapters.spark.build import BuildInBulk
from regulars.adapters.spark.engine import Engine
from regulars.adapters.storage.s3 import S3Storage
from regulars.clock import from_ms
from regulars.shop import overrides, section
from regulars.similarity.config import SimilaritySettings


def main(arguments: Sequence[str] | None = None) -> None:
    """One build; an error ends the job, and the model before it stays live."""
    parser = argparse.ArgumentParser(prog="job.py")
    parser.add_argument("--version", required=True, help="epoch milliseconds: the instant the build reckons from, and its name")
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--models-table", required=True)
    chosen = parser.parse_args(arguments)
    settings = section(SimilaritySettings, "similarity", overrides(S3Storage(chosen.bucket)))
    with SparkContext(appName=f"similarity-{chosen.version}") as context:
        engine = Engine(
            context,
            partial(S3Storage, chosen.bucket),
            StorageLevel.MEMORY_AND_DISK,
            settings.bulk.slices,
            settings.bulk.blocks,
        )
        summary = BuildInBulk(engine, partial(DynamoModels, chosen.models_table), settings, _told)(from_ms(int(chosen.version)))
        print(json.dumps(summary), flush=True)


def _told(message: str, facts: Mapping[str, Any]) -> None:
    print(json.dumps({"message": message, "facts": dict(facts)}), flush=True)


if __name__ == "__main__":
    main()
