"""The same work as `live.rs`, in CPython."""

import time
import tracemalloc

BLOCKS = 1_000_000


def descend(depth):
    if depth == 0:
        return [float(n) for n in range(BLOCKS)]
    return descend(depth - 1)


def timed(what, work):
    started = time.perf_counter()
    result = work()
    print(f"{what:36} {time.perf_counter() - started:8.4f} s")
    return result


def resident():
    with open("/proc/self/statm") as status:
        return int(status.read().split()[1]) * 4096


warm = descend(20)
untraced_bytes = resident()
del warm
untraced = timed("allocate, untraced", lambda: descend(20))
untraced_bytes = max(untraced_bytes, resident())
del untraced
for nframe in (1, 10, 25):
    print(f"-- nframe {nframe}")
    tracemalloc.start(nframe)
    blocks = timed("allocate", lambda: descend(20))
    print(f"{'resident, a block more':36} {(resident() - untraced_bytes) / BLOCKS:8.1f} B")
    print(f"{'get_tracemalloc_memory, a block':36} {tracemalloc.get_tracemalloc_memory() / BLOCKS:8.1f} B")
    first = timed("take_snapshot", tracemalloc.take_snapshot)
    for name in ("filename", "lineno", "traceback"):
        timed(f"statistics {name}", lambda: first.statistics(name))
    more = descend(3)
    second = timed("take_snapshot of twice as many", tracemalloc.take_snapshot)
    timed("compare_to lineno", lambda: second.compare_to(first, "lineno"))
    del first, second
    del blocks, more
    tracemalloc.stop()
