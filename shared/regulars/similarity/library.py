"""The one compiled library: kernel, scoring, packed lists, rounded vectors. No numpy here: the API functions load it too.

`infra/local/regulars_local/kernel.py` compiles the sources.
"""

from __future__ import annotations

import ctypes
import logging
import platform
from functools import cache
from hashlib import sha256
from pathlib import Path

SOURCES = ("kernel.c", "scoring.c", "packed.c", "sequence.c")
FOLDER = "compiled_kernels"
Library = ctypes.CDLL


def file_name(system: str, machine: str) -> str:
    """Of the library of these sources for e.g. ("linux", "aarch64"): a changed source never meets an old library. It does not
    end in `.so`: `sam build` leaves such files of ours out of layers (EXCLUDED_FILES of aws-lambda-builders' python_pip)."""
    digest = sha256(b"".join(_read(source) for source in SOURCES)).hexdigest()
    return f"kernel-{digest[:12]}-{system}-{machine}.library"


def here() -> tuple[str, str]:
    """(system, machine) of this process."""
    machine = platform.machine().lower()
    return platform.system().lower(), {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)


@cache
def library() -> Library | None:
    """The loops, or None, with a warning logged, where they were not compiled for this machine."""
    try:
        name = file_name(*here())
        path = Path(__file__).parent / FOLDER / name
        if path.exists():
            return ctypes.CDLL(str(path))
        from importlib import resources  # the package may be in a zip file

        with resources.as_file(resources.files(__package__).joinpath(FOLDER, name)) as unpacked:
            return ctypes.CDLL(str(unpacked))
    except OSError as error:
        logging.getLogger(__name__).warning("no compiled kernel, slower loops stand in (numpy, or plain Python): %s", error)
        return None


def _read(source: str) -> bytes:
    path = Path(__file__).parent / source
    if path.exists():
        return path.read_bytes()
    from importlib import resources

    return resources.files(__package__).joinpath(source).read_bytes()
