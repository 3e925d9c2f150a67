"""From sources to a tree that `sam deploy` takes, with valid .pyc files, and only when something changed.

`.local/build` is for this machine, `.aws-sam/build` (where `sam deploy` looks) for AWS.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from regulars.similarity.library import FOLDER
from regulars_local import kernel, package, toolchain
from regulars_local.toolchain import ROOT

LOCAL_BUILD = ROOT / ".local" / "build"
AWS_BUILD = ROOT / ".aws-sam" / "build"
_STAMP = "fingerprint"
_LOOPS = Path("shared", "regulars", "similarity", FOLDER)


def sources() -> Iterator[Path]:
    """Every file that goes into the build, in a stable order."""
    yield ROOT / "template.yaml"
    for folder in ("infra/stacks", "functions", "layers", "shared"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                yield path


def fingerprint(python: Path, architecture: str) -> str:
    """Changes when a source, the interpreter, the architecture or the SAM CLI does."""
    digest = hashlib.sha256(f"{toolchain.minor(python)} {architecture} {toolchain.SAM_VERSION}".encode())
    for path in sources():
        digest.update(f"\n{path.relative_to(ROOT)} ".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def build(python: Path, architecture: str, directory: Path = LOCAL_BUILD) -> tuple[str, bool]:
    """(fingerprint, whether anything was built). Raises RuntimeError with the builder's own words."""
    if directory == AWS_BUILD:
        kernel.ensure(kernel.for_lambda(architecture))
    else:
        kernel.ensure_here()
    wanted = fingerprint(python, architecture)
    stamp = directory / _STAMP
    if stamp.exists() and stamp.read_text("ascii") == wanted:
        return wanted, False
    if toolchain.minor(python) == toolchain.RUNTIME:
        _sam_build(python, architecture, directory)
    elif directory == AWS_BUILD:
        raise RuntimeError(f"a build for AWS takes Python {toolchain.RUNTIME}; REGULARS_PYTHON may name one")
    else:
        package.package(ROOT / "template.yaml", directory, python)
    prune(directory)
    check_loops(directory)
    compile_all(python, directory)
    stamp.write_text(wanted, "ascii")
    return wanted, True


def _sam_build(python: Path, architecture: str, directory: Path) -> None:
    command = [str(toolchain.sam()), "build", "--cached", "--parallel", "--template", "template.yaml"]
    command += ["--build-dir", str(directory), "--cache-dir", str(ROOT / ".local" / f"sam-cache-{architecture}")]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    # sam build looks for an interpreter of the runtime's name on PATH; requirements are complete, chalice's are not ours.
    path = f"{_named_interpreter(python)}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "PIP_NO_DEPS": "1", "SAM_CLI_TELEMETRY": "0"}
    environment.pop("VIRTUAL_ENV", None)
    run(command, environment)


def prune(directory: Path) -> None:
    """Remove what layers bring and no function reads: the test suites of other people's packages."""
    for tests in sorted(directory.glob("*Layer/python/*/**/tests")):
        shutil.rmtree(tests, ignore_errors=True)


def check_loops(directory: Path) -> None:
    """Raises RuntimeError where a compiled library of ours is not in the layer: functions would be many times slower."""
    for library in (ROOT / _LOOPS).glob("kernel-*"):
        if not (directory / "SharedLayer" / "python" / _LOOPS.relative_to("shared") / library.name).exists():
            raise RuntimeError(f"{library.name} is not in the layer that was built into {directory}")


def validate() -> None:
    """`sam validate --lint` of the root, where the transform is; raises RuntimeError with what is wrong.

    The nested templates have none: for them it is cfn-lint alone, which runs over all of them anyway, seconds faster.
    """
    command = [str(toolchain.sam()), "validate", "--lint", "--template", "template.yaml"]
    run(command, {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"})


def _named_interpreter(python: Path) -> Path:
    folder = toolchain.TOOLS / "named"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / f"python{toolchain.RUNTIME}"
    if not link.is_symlink() or link.resolve() != python.resolve():
        link.unlink(missing_ok=True)
        link.symlink_to(python)
    return folder


def compile_all(python: Path, directory: Path) -> None:
    """Byte code that stays valid whatever zipping does to times; missing .pyc files double a cold start."""
    command = [str(python), "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    run([*command, "-s", str(directory), str(directory)], dict(os.environ))


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run quietly, return stdout; raises RuntimeError that ends with what the command said."""
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if outcome.returncode:
        lines = f"{outcome.stdout}\n{outcome.stderr}".splitlines()
        said = "\n".join(line for line in lines if line.strip() and "skipping upload" not in line)[-4000:]
        raise RuntimeError(f"{' '.join(command[:3])} failed ({outcome.returncode}):\n{said}")
    return outcome.stdout
