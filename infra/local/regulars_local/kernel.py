"""Compiles the kernel (shared/regulars/similarity/*.c), beside its sources, where `regulars.similarity.compiled` looks.

For this machine with its own C compiler where there is one; else, and for AWS's processors from any machine, with Zig's
(Clang and the headers of every target in one wheel), fetched into `.local/tools` when it is first needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from regulars.similarity import compiled
from regulars_local import toolchain
from regulars_local.toolchain import ROOT

ZIG_VERSION = "0.16.0"
_STAGE = ROOT / "shared" / "regulars" / "similarity"
_ORDINARY = ("-std=c11", "-O3", "-ffp-contract=off", "-fno-trapping-math", "-fPIC", "-shared", "-s")
"""No fused multiply-add: the same sums on every processor. Nobody asks for traps, and without them loops may look ahead."""
_PROCESSORS = {"x86_64": "x86_64_v2", "aarch64": "generic"}
_GLIBC = "2.26"
"""Amazon Linux 2's; Lambda's python3.13 has 2.34."""
_SECONDS = 300

Target = tuple[str, str]


def for_lambda(architecture: str) -> Target:
    """(system, machine) of Lambda's words `arm64` and `x86_64`."""
    return "linux", {"arm64": "aarch64"}.get(architecture, architecture)


def ensure(target: Target | None = None) -> bool:
    """The kernel for `target` (None: this machine), compiled unless it is there; whether anything was compiled.

    Libraries of older sources are removed. Raises RuntimeError with the compiler's words, ToolMissing without a compiler.
    """
    chosen = target or compiled.here()
    library = _STAGE / compiled.FOLDER / compiled.file_name(*chosen)
    if library.exists():
        return False
    library.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent, prefix="new-") as folder:
        fresh = Path(folder) / library.name
        command = [*_compiler(chosen), *_ORDINARY, *(str(_STAGE / source) for source in compiled.SOURCES), "-o", str(fresh)]
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(toolchain.TOOLS / "zig-cache")}
        outcome = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS)
        if outcome.returncode:
            raise RuntimeError(f"the kernel does not compile ({command[0]}): {outcome.stderr.strip()[-2000:]}")
        os.replace(fresh, library)  # whoever loads it meanwhile keeps the whole old one
    current = library.name.rsplit("-", 2)[0]
    for old in library.parent.glob("kernel-*"):
        if not old.name.startswith(current) or old.suffix != library.suffix:
            old.unlink(missing_ok=True)
    return True


def ensure_here() -> None:
    """As `ensure` for this machine; where it cannot be, says so: numpy stands in."""
    try:
        ensure()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"regulars_local: builds run without the compiled kernel, more slowly: {error}", file=sys.stderr)


def _compiler(target: Target) -> list[str]:
    own = shutil.which("cc")
    if target == compiled.here() and own:
        return [own, *(["-march=x86-64-v2"] if target[1] == "x86_64" else [])]
    system, machine = target
    triple = f"{machine}-linux-gnu.{_GLIBC}" if system == "linux" else f"{machine}-macos"
    return [str(_zig()), "cc", "-target", triple, f"-mcpu={_PROCESSORS.get(machine, 'baseline')}", "-fno-sanitize=all"]


def _zig() -> Path:
    """Zig of our version; raises ToolMissing."""
    folder = toolchain.TOOLS / f"zig-{ZIG_VERSION}"
    binary = folder / "ziglang" / "zig"
    if not binary.exists():
        command = [toolchain.uv(), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
        outcome = subprocess.run(
            [*command, "--target", str(folder), f"ziglang=={ZIG_VERSION}"], capture_output=True, text=True, timeout=_SECONDS
        )
        if outcome.returncode or not binary.exists():
            raise toolchain.ToolMissing(f"no C compiler, and Zig cannot be fetched: {outcome.stderr.strip()[-500:]}")
    return binary
