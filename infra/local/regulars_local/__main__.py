"""`python -m regulars_local setup|kernel|validate|build|spark|up|down|status|reset [--home DIR] [--port N]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from regulars_local import build, kernel, server, spark, stack, toolchain

AWS_ARCHITECTURE = "arm64"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done (status: running), 1 not running, 2 failed with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="regulars_local", description="The local stack, and builds.")
    parser.add_argument("verb", choices=("setup", "kernel", "validate", "build", "spark", "up", "down", "status", "reset"))
    parser.add_argument("--home", type=Path, default=stack.HOME, help="folder of the stack's state")
    parser.add_argument("--port", type=int)
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen.verb, chosen.home.resolve(), chosen.port)
    except (toolchain.ToolMissing, RuntimeError) as error:
        print(f"regulars_local: {error}", file=sys.stderr)
        return 2


def _run(verb: str, home: Path, port: int | None) -> int:
    if verb == "setup":
        kernel.ensure_here()
        python = toolchain.python_for_functions()
        toolchain.stack_python(python)
        print(f"functions run on Python {toolchain.minor(python)} ({python}); SAM CLI: {toolchain.sam()}")
    elif verb == "kernel":
        kernel.ensure_here()
    elif verb == "validate":
        return _validate()
    elif verb == "build":
        _, built = build.build(toolchain.python_for_functions(), AWS_ARCHITECTURE, build.AWS_BUILD)
        print(f"{'built' if built else 'current'}: {build.AWS_BUILD} for {AWS_ARCHITECTURE}; `sam deploy --guided` takes it")
    elif verb == "spark":
        folder = spark.package(AWS_ARCHITECTURE)
        print(f"packaged for {AWS_ARCHITECTURE}; now: aws s3 cp --recursive {folder} s3://DATA_BUCKET/spark/")
    elif verb == "up":
        running = stack.up(home, port)
        print(f"API {running.api_url}\nAWS {running.endpoint_url}\nsee {home / 'stack.json'}")
    elif verb == "reset":
        stack.reset(home)
    elif verb == "down":
        print("stopped, state kept" if stack.down(home) else "was not running")
    else:
        return _status(home)
    return 0


def _validate() -> int:
    """`sam validate --lint`; told and passed over where the SAM CLI cannot be had."""
    try:
        build.validate()
    except toolchain.ToolMissing as missing:
        print(f"not validated: {missing}", file=sys.stderr)
        return 0
    print("sam validate --lint: valid")
    return 0


def _status(home: Path) -> int:
    found, kept = server.running(home), stack.load(home)
    print(f"MiniStack: {f'process {found[0]} on port {found[1]}' if found else 'not running'}")
    print(f"stack: {kept.api_url if kept else 'none deployed'}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
