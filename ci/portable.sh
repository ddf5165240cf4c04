#!/usr/bin/env bash
# For macOS and Windows, where memory cannot be searched. Builds everything, runs the tests of the
# runtime, the macros and the harness, and judges the demo of the README.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --workspace --all-targets
cargo test --package tracemalloc-rt --package tracemalloc-macros
cargo test --package tracemalloc-harness --features harness
cargo run -- test --manifest-path tests/fixtures/demo/Cargo.toml --no-fail
