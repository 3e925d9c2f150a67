"""The Spark job on EMR Serverless: how it is started and sized. Its code lies in the data bucket, as `make spark` leaves it."""

from __future__ import annotations

from typing import Any

from regulars.adapters.aws import client
from regulars.errors import Misconfigured, TryLater
from regulars.similarity.config import BulkSettings

FOLDER = "spark"
ENTRY, ENVIRONMENT = "job.py", "environment.tar.gz"
_PYTHON = "./environment/bin/python"
_WRONG = frozenset(("AccessDeniedException", "ResourceNotFoundException", "ValidationException", "UnrecognizedClientException"))


class EmrServerless:
    """Implements `regulars.similarity.bulk.Bulk`."""

    def __init__(self, application_id: str, job_role_arn: str, bucket: str, models_table: str, settings: BulkSettings) -> None:
        self._application, self._role = application_id, job_role_arn
        self._bucket, self._table, self._settings = bucket, models_table, settings

    def start(self, version: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = client("emr-serverless").start_job_run(**self.request(version))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _WRONG:
                raise Misconfigured(f"EMR Serverless: {code}: {error.response['Error'].get('Message', '')}"[:300]) from error
            raise TryLater(f"EMR Serverless: {code}", code="emr_serverless") from error
        except BotoCoreError as error:
            raise TryLater(f"EMR Serverless unreachable: {type(error).__name__}", code="unreachable") from error
        return str(answer["jobRunId"])

    def request(self, version: str) -> dict[str, Any]:
        """StartJobRun's arguments. The client token makes a repeated call return the run that the first one started."""
        return {
            "applicationId": self._application,
            "clientToken": f"similarity-{version}",
            "executionRoleArn": self._role,
            "name": f"similarity-{version}",
            "executionTimeoutMinutes": self._settings.timeout_minutes,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": self._at(ENTRY),
                    "entryPointArguments": ["--version", version, "--bucket", self._bucket, "--models-table", self._table],
                    "sparkSubmitParameters": self._parameters(),
                }
            },
        }

    def _at(self, name: str) -> str:
        return f"s3://{self._bucket}/{FOLDER}/{name}"

    def _parameters(self) -> str:
        """Interpreter with the code, and the size of a worker. What Java does not get is left to Python's processes."""
        sized = self._settings
        configuration = {
            "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": _PYTHON,
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": _PYTHON,
            "spark.executorEnv.PYSPARK_PYTHON": _PYTHON,
            "spark.emr-serverless.memoryOverheadFactor": f"{sized.worker_memory_gb / sized.worker_heap_gb - 1:g}",
        }
        for who in ("driver", "executor"):
            configuration |= {
                f"spark.{who}.cores": str(sized.worker_cores),
                f"spark.{who}.memory": f"{sized.worker_heap_gb}g",
                f"spark.emr-serverless.{who}.disk": f"{sized.worker_disk_gb}G",
            }
        said = " ".join(f"--conf {key}={value}" for key, value in configuration.items())
        return f"--archives {self._at(ENVIRONMENT)}#environment {said}"
