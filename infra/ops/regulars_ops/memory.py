"""Memory of long commands."""

from __future__ import annotations

import ctypes
import sys

_MMAP_THRESHOLD = -3
"""glibc's number of the parameter (malloc.h)."""
_LARGE = 1 << 20


def give_back_large() -> None:
    """From now on hand blocks of a megabyte back to the system as soon as they are freed. glibc stops doing so for sizes it has
    seen freed once (mallopt(3), "dynamic mmap threshold"): with ten million lines up to a gigabyte stayed. Elsewhere nothing
    happens."""
    try:
        ctypes.CDLL(None).mallopt(ctypes.c_int(_MMAP_THRESHOLD), ctypes.c_int(_LARGE))
    except (AttributeError, OSError, TypeError):
        return


def give_back() -> None:
    """Hand memory that was freed back to the system, where the C library can (glibc's `malloc_trim`): by itself it keeps what
    lies between blocks still in use, some 400 MB after a log of ten million lines was sorted. Elsewhere nothing happens. Arrow,
    which has memory of its own, likewise, if it was used."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(ctypes.c_size_t(0))
