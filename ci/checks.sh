#!/usr/bin/env bash
# Checks under `cargo test`, cargo-nextest and the command: also in tests of tokio, rstest,
# test-case and proptest, and around mimalloc. Needs a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test -p cargo-tracemalloc --test checks -- --ignored
cargo clippy --workspace --all-targets --locked --manifest-path tests/fixtures/checks/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}/fixtures" -- -D warnings
