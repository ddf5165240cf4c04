#!/usr/bin/env bash
# What keeps stacks and blocks, under Miri, which looks for undefined behaviour and for orders of memory that the processor
# at hand does not have. Needs a nightly toolchain with the component miri; takes some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tables that have become too small are never unmapped: readers hold no locks.
export MIRIFLAGS="${MIRIFLAGS:-} -Zmiri-ignore-leaks"
cargo +nightly miri test --package tracemalloc-rt --lib -- shadow stacks contexts last_walk spin_lock ledger intern
