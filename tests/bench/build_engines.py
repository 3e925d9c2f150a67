"""One engine builds the lists of one matrix in a process of its own, so that its peak memory is its own.

    python tests/bench/build_engines.py ENGINE FOLDER THREADS KEEP [LISTS]

FOLDER holds starts.npy and columns.npy. Prints JSON: seconds of the build (the matrix is in memory), those of all its
threads together, peak resident megabytes of the process; writes starts, items and scores of the lists to the folder LISTS.

    regulars            the kernel, symmetric
    plain               the kernel, not told that both sides are the same
    capped              the kernel on the newest 100 of each row
    implicit            CosineRecommender with K = keep + 1: its lists hold the item itself
    sparse_dot_topn     sp_matmul_topn of the normalised matrix with its transpose, top_n = keep + 1
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "shared"))

Lists = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
CAP = 100


def regulars(starts: NDArray[Any], columns: NDArray[Any], items: int, threads: int, keep: int) -> Callable[[], Lists]:
    """Prepared: the matrix is in memory; called: it is built."""
    from regulars.similarity.rows import Rows

    rows = Rows(starts, columns, np.ones(len(columns), dtype=np.float32))
    return lambda: _kernel(rows, rows, items, threads, keep)


def plain(starts: NDArray[Any], columns: NDArray[Any], items: int, threads: int, keep: int) -> Callable[[], Lists]:
    """As `regulars`, with two objects."""
    from regulars.similarity.rows import Rows

    one, other = (Rows(starts, columns, np.ones(len(columns), dtype=np.float32)) for _ in range(2))
    return lambda: _kernel(one, other, items, threads, keep)


def capped(starts: NDArray[Any], columns: NDArray[Any], items: int, threads: int, keep: int) -> Callable[[], Lists]:
    """As `regulars`; shortening counts."""
    from regulars.similarity.rows import Rows

    rows = Rows(starts, columns, np.ones(len(columns), dtype=np.float32))

    def build() -> Lists:
        short = rows.shortened(CAP)
        return _kernel(short, short, items, threads, keep)

    return build


def _kernel(left: Any, right: Any, items: int, threads: int, keep: int) -> Lists:
    from regulars.similarity.kernel import top_neighbours

    counts = np.bincount(left.columns, minlength=items)
    scale = np.where(counts > 0, np.maximum(counts, 1) ** -0.5, 0.0)
    found = top_neighbours(left, right, scale, scale, keep, threads=threads)
    return found.starts, found.items, found.scores


def implicit(starts: NDArray[Any], columns: NDArray[Any], items: int, threads: int, keep: int) -> Callable[[], Lists]:
    """github.com/benfred/implicit."""
    from implicit.nearest_neighbours import CosineRecommender

    matrix = _matrix(starts, columns, items)
    model = CosineRecommender(K=keep + 1, num_threads=threads)

    def build() -> Lists:
        model.fit(matrix, show_progress=False)
        return model.similarity.indptr, model.similarity.indices, model.similarity.data

    return build


def sparse_dot_topn(starts: NDArray[Any], columns: NDArray[Any], items: int, threads: int, keep: int) -> Callable[[], Lists]:
    """github.com/ing-bank/sparse_dot_topn."""
    from scipy.sparse import diags
    from sparse_dot_topn import sp_matmul_topn

    matrix = _matrix(starts, columns, items)

    def build() -> Lists:
        counts = np.bincount(matrix.indices, minlength=items)
        scale = np.where(counts > 0, np.maximum(counts, 1) ** -0.5, 0.0).astype(np.float32)
        users = (matrix @ diags(scale)).tocsr()
        lists = sp_matmul_topn(users.T.tocsr(), users, top_n=keep + 1, sort=True, n_threads=threads)
        return lists.indptr, lists.indices, lists.data

    return build


def _matrix(starts: NDArray[Any], columns: NDArray[Any], items: int) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(columns), dtype=np.float32), columns, starts.astype(np.int32)), (len(starts) - 1, items))


ENGINES = {engine.__name__: engine for engine in (regulars, plain, capped, implicit, sparse_dot_topn)}


def peak_bytes() -> int:
    """Most memory that was resident. Linux's ru_maxrss would begin with the memory of the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(arguments: list[str]) -> None:
    """Print the line."""
    engine, folder, threads, keep = arguments[0], Path(arguments[1]), int(arguments[2]), int(arguments[3])
    warnings.simplefilter("ignore")  # implicit warns of what it converts itself
    starts, columns = np.load(folder / "starts.npy"), np.load(folder / "columns.npy")
    items = int(np.load(folder / "items.npy"))
    build = ENGINES[engine](starts, columns, items, threads, keep)
    begun, busy = perf_counter(), process_time()
    lists = build()
    seconds, busy = perf_counter() - begun, process_time() - busy
    print(json.dumps({"seconds": seconds, "cpu_seconds": busy, "peak_mb": peak_bytes() / 1e6}))
    if len(arguments) > 4:
        target = Path(arguments[4])
        target.mkdir(exist_ok=True)
        for name, array in zip(("starts", "items", "scores"), lists, strict=True):
            np.save(target / name, array)


if __name__ == "__main__":
    main(sys.argv[1:])
