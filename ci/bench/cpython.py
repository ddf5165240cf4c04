"""The work of the workload `memory` and of `snapshot.rs`, in CPython.

`cpython.py memory|snapshot NFRAME`; 0 frames are untraced.
"""

import sys
import time
import tracemalloc

BLOCKS = 1_000_000
DEPTHS = 50


def allocate(depth, blocks):
    """So many objects in all, as many at each depth of nested calls."""
    if depth == 0:
        return []
    kept = [float(n) for n in range(blocks // DEPTHS)]
    return [kept, allocate(depth - 1, blocks)]


def resident():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * 4096


def main():
    what, nframe = sys.argv[1], int(sys.argv[2])
    if nframe:
        tracemalloc.start(nframe)
    allocate(DEPTHS, 1000)
    before = resident()
    kept = allocate(DEPTHS, BLOCKS)
    figure = (resident() - before) / BLOCKS
    if what == "snapshot":
        started = time.perf_counter()
        statistics = tracemalloc.take_snapshot().statistics("lineno")
        figure = time.perf_counter() - started
        assert sum(statistic.count for statistic in statistics) >= BLOCKS
    del kept
    print(f"figure: {figure}")


main()
