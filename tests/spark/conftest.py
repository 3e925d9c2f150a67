"""One Spark in this process and its workers, on two cores, without a page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_JAVA = 17


@pytest.fixture(scope="session")
def context() -> Iterator[Any]:
    """A SparkContext; the tests are skipped, and say why, where Spark or its Java is missing."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is missing: `uv sync --extra spark`")
    if _java() < _JAVA:
        pytest.skip(f"Java {_JAVA} or newer is missing: on Debian `apt-get install openjdk-{_JAVA}-jre-headless`")
    given = {name: os.environ.get(name) for name in ("PYTHONPATH", "PYSPARK_PYTHON")}
    # Workers are processes of their own: they find the package and the tests as this one does.
    os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT / "shared"), str(ROOT)))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    settings |= dict.fromkeys(("spark.ui.enabled", "spark.ui.showConsoleProgress"), "false")
    configuration = pyspark.SparkConf().setMaster("local[2]").setAppName("regulars").setAll(settings.items())
    started = pyspark.SparkContext(conf=configuration)
    started.setLogLevel("ERROR")
    yield started
    started.stop()
    for name, value in given.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def _java() -> int:
    """The major version of the Java on PATH or in JAVA_HOME, 0 without one."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not java:
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0
