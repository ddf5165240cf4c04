#!/usr/bin/env bash
# Unit tests of the workspace, and the end-to-end tests in tests/. Arguments go to cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test --workspace --all-targets "$@"
if (($# == 0)); then
    # By itself: the command, which is in the same workspace, uses the harness's types without the harness.
    cargo test --package tracemalloc-harness --features harness
    # A workspace of its own.
    cargo test --locked --manifest-path tests/generated/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/generated/generator"
fi
