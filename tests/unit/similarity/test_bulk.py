"""Where a build runs, and what EMR Serverless is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.validate import validate_parameters

from regulars.adapters.spark import emr
from regulars.adapters.spark.emr import EmrServerless
from regulars.errors import GiveUp, Misconfigured, RegularsError, TryLater
from regulars.shop import section
from regulars.similarity.bulk import BuildWhereItFits
from regulars.similarity.config import SimilaritySettings

NOW = datetime(2026, 8, 5, 2, 45, tzinfo=UTC)
SETTINGS = section(SimilaritySettings, "similarity")
HOUR = "1785895200000"


@dataclass
class Shop:
    """A build that knows whether it was asked, and a bulk that knows what."""

    megabytes: int = 0
    failure: RegularsError | None = None
    deployed: bool = True
    now: datetime = NOW
    built: int = 0
    started: list[str] = field(default_factory=list)
    since: datetime | None = None

    def here(self) -> Mapping[str, Any]:
        self.built += 1
        if self.failure:
            raise self.failure
        return {"rows": 1}

    def start(self, version: str) -> str:
        self.started.append(version)
        return "run"

    def size(self, since: datetime) -> int:
        self.since = since
        return self.megabytes * 1_000_000

    def __call__(self) -> Mapping[str, Any]:
        bulk = self if self.deployed else None
        return BuildWhereItFits(self.here, self.size, bulk, SETTINGS, lambda: self.now, lambda _message, _facts: None)()


def test_a_small_archive_is_built_here() -> None:
    shop = Shop(megabytes=SETTINGS.bulk.max_archive_megabytes)
    assert shop() == {"rows": 1}
    assert shop.started == []
    assert shop.since == NOW - timedelta(days=SETTINGS.build.history_days)


def test_a_long_archive_starts_the_job_unread() -> None:
    shop = Shop(megabytes=SETTINGS.bulk.max_archive_megabytes + 1)
    summary = shop()
    assert (summary["version"], summary["run"], shop.built) == (HOUR, "run", 0)
    assert "max_archive_megabytes" in summary["why"]


def test_too_many_interactions_start_the_job_too() -> None:
    shop = Shop(failure=GiveUp("9 interactions do not fit", code="does_not_fit"))
    assert shop()["why"] == "9 interactions do not fit"
    assert (shop.built, shop.started) == (1, [HOUR])


def test_a_retry_joins_the_run_that_it_retries() -> None:
    shop = Shop(megabytes=10**6)
    shop()
    shop.now += timedelta(minutes=6)
    shop()
    assert set(shop.started) == {HOUR}
    shop.now += timedelta(days=1)
    assert shop()["version"] > HOUR


def test_without_spark_the_error_stays() -> None:
    shop = Shop(megabytes=10**6, failure=GiveUp("too many", code="does_not_fit"), deployed=False)
    with pytest.raises(GiveUp, match="too many"):
        shop()
    assert shop.started == []


def test_other_errors_are_not_a_matter_of_size() -> None:
    shop = Shop(failure=GiveUp("broken", code="broken_model"))
    with pytest.raises(GiveUp, match="broken"):
        shop()
    assert shop.started == []


ROLE = "arn:aws:iam::123456789012:role/regulars-JobRole"


def started(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | Exception) -> str:
    """`start` against a client that answers so; the request is one that AWS's own model of the API accepts."""

    class Client:
        def start_job_run(self, **arguments: Any) -> dict[str, Any]:
            model = botocore.session.Session().get_service_model("emr-serverless")
            validate_parameters(arguments, model.operation_model("StartJobRun").input_shape)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(emr, "client", lambda service: {"emr-serverless": Client()}[service])
    return EmrServerless("00abc", ROLE, "data-bucket", "models", SETTINGS.bulk).start(HOUR)


def test_a_job_is_started_once_for_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, {"jobRunId": "00run", "applicationId": "00abc", "arn": "arn"}) == "00run"
    request = EmrServerless("00abc", ROLE, "data-bucket", "models", SETTINGS.bulk).request(HOUR)
    assert request["clientToken"] == f"similarity-{HOUR}"
    submit = request["jobDriver"]["sparkSubmit"]
    assert submit["entryPoint"] == "s3://data-bucket/spark/job.py"
    assert submit["entryPointArguments"] == ["--version", HOUR, "--bucket", "data-bucket", "--models-table", "models"]


def test_a_worker_is_of_a_size_that_is_offered() -> None:
    """4 vCPU take 8 to 30 GB and 20 to 200 GB of disk (AWS: "Supported worker configurations")."""
    submit = EmrServerless("00abc", ROLE, "b", "m", SETTINGS.bulk).request(HOUR)["jobDriver"]["sparkSubmit"]
    said = dict(word.split("=", 1) for word in submit["sparkSubmitParameters"].split() if "=" in word)
    heap, factor = (
        int(said["spark.executor.memory"].removesuffix("g")),
        float(said["spark.emr-serverless.memoryOverheadFactor"]),
    )
    assert said["spark.executor.cores"] == said["spark.driver.cores"] == "4"
    assert 8 <= heap * (1 + factor) <= 30
    assert 20 <= int(said["spark.emr-serverless.executor.disk"].removesuffix("G")) <= 200


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ValidationException", Misconfigured), ("AccessDeniedException", Misconfigured), ("Throttling", TryLater)],
)
def test_refusals_are_told_by_kind(monkeypatch: pytest.MonkeyPatch, code: str, kind: type[RegularsError]) -> None:
    refused = ClientError({"Error": {"Code": code, "Message": "no"}}, "StartJobRun")
    with pytest.raises(kind, match=code):
        started(monkeypatch, refused)
    with pytest.raises(TryLater, match="unreachable"):
        started(monkeypatch, EndpointConnectionError(endpoint_url="https://emr"))
