#!/usr/bin/env bash
# Tests of the tracer's state under Miri, which looks for undefined behaviour, and for orders of
# memory that the processor at hand does not have. Needs a nightly toolchain with the component
# miri. Takes some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tables that have become too small are never unmapped: readers hold no locks.
export MIRIFLAGS="${MIRIFLAGS:-} -Zmiri-ignore-leaks"
cargo +nightly miri --version >/dev/null || {
    echo 'miri: install it by: rustup component add miri --toolchain nightly' >&2
    exit 1
}
cargo +nightly miri test --package tracemalloc-rt --lib -- \
    trace:: os::memory os::spin_lock util::sort model::intern heap::linux::list heap::linux::blocks
