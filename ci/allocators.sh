#!/usr/bin/env bash
# Tests on mimalloc and jemalloc: the same counts as under `cargo test`, and planted leaks at their
# lines. Needs a C compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test -p cargo-tracemalloc --test allocators -- --ignored
cargo fmt --all --check --manifest-path tests/fixtures/allocators/Cargo.toml
cargo clippy --workspace --all-targets --locked --manifest-path tests/fixtures/allocators/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}/fixtures" -- -D warnings
