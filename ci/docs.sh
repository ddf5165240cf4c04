#!/usr/bin/env bash
# Documentation: builds it, checks its links, and runs its examples.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features
# The macros' examples need the runtime. Their `doctest = false` has no effect with --doc.
cargo test --workspace --exclude tracemalloc-macros --doc
