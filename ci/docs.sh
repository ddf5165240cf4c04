#!/usr/bin/env bash
# Documentation: it builds, every link in it leads somewhere, and its examples run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features
# Of the macros, `doctest = false` says so, and is not heard with --doc: their examples name the runtime.
cargo test --workspace --exclude tracemalloc-macros --doc
