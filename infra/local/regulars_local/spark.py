"""`make spark`: what the job on EMR Serverless needs, ready to be copied into the data bucket.

    job.py              the entry point
    environment.tar.gz  an interpreter with this package, its compiled kernel, and numpy, PyYAML and botocore as in uv.lock

AWS: "Using different Python versions with EMR Serverless", with uv's relocatable interpreter instead of one built in a
container, so that it is made on any machine for any architecture. The package is in there and not a zip of its own, since
nothing can load a compiled kernel out of a zip. `REGULARS_SPARK_PYTHON` names the folder of another interpreter
(`bin/python3.11` below it) where uv cannot download one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from regulars.adapters.spark.emr import ENTRY, ENVIRONMENT
from regulars_local import kernel, toolchain
from regulars_local.toolchain import ROOT, ToolMissing

FOLDER = ROOT / ".local" / "spark"
VERSION = "3.11"  # the newest that Spark 3.5 supports
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_CLUTTER = shutil.ignore_patterns("__pycache__", "*.pyc", "test", "tests", "idlelib", "tkinter", "ensurepip", "site-packages")


def package(architecture: str, folder: Path = FOLDER) -> Path:
    """Make both for `arm64` or `x86_64`; returns the folder. Raises ToolMissing without an interpreter, packages or a
    compiler, RuntimeError with the compiler's words."""
    kernel.ensure(kernel.for_lambda(architecture))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "infra" / "spark" / "job.py", folder / ENTRY)
    with tempfile.TemporaryDirectory() as place:
        environment = Path(place) / "environment"
        shutil.copytree(_interpreter(architecture), environment, symlinks=True, ignore=_CLUTTER)
        python = environment / "bin" / "python"
        if not python.exists():
            python.symlink_to(f"python{VERSION}")
        packages = environment / "lib" / f"python{VERSION}" / "site-packages"
        _install(packages, architecture)
        shutil.copytree(ROOT / "shared" / "regulars", packages / "regulars", ignore=shutil.ignore_patterns("__pycache__"))
        with tarfile.open(folder / ENVIRONMENT, "w:gz", compresslevel=6) as archive:
            archive.add(environment, ".")
    return folder


def _interpreter(architecture: str) -> Path:
    """The folder of an interpreter for the architecture."""
    named = os.environ.get("REGULARS_SPARK_PYTHON")
    if named:
        return Path(named)
    place = toolchain.TOOLS / "spark-python"
    wanted = f"cpython-{VERSION}-linux-{_MACHINES[architecture]}-gnu"
    _run(["python", "install", "--no-bin", "--install-dir", str(place), wanted], "an interpreter cannot be fetched")
    return next(
        path for path in sorted(place.glob(f"cpython-{VERSION}.*-linux-{_MACHINES[architecture]}-gnu")) if path.is_dir()
    )


def _install(target: Path, architecture: str) -> None:
    """The packages, as locked, for the architecture; none is built."""
    numeric = ROOT / "layers" / "numeric" / "requirements.txt"
    with tempfile.TemporaryDirectory() as place:
        locked = Path(place) / "locked.txt"
        exported = ["export", "--frozen", "--quiet", "--no-hashes", "--no-default-groups", "--no-emit-project"]
        _run([*exported, "--output-file", str(locked)], "uv.lock cannot be read")
        command = ["pip", "install", "--quiet", "--target", str(target), "--constraint", str(locked), "--only-binary", ":all:"]
        command += ["--python-platform", f"{_MACHINES[architecture]}-manylinux_2_28", "--python-version", VERSION]
        _run([*command, "--requirement", str(numeric), "pyyaml", "botocore"], "packages cannot be installed")


def _run(arguments: list[str], failed: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    outcome = subprocess.run([toolchain.uv(), *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    if outcome.returncode:
        raise ToolMissing(f"{failed}: {outcome.stderr.strip()[-500:]}")
