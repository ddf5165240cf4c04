#!/usr/bin/env bash
# What tracing every allocation costs: the same work untraced, under ours, and under other tracers, all in turn.
# docs/benchmarks.md says what is measured.
#
#     ci/bench.sh                      all workloads, all tracers; takes about an hour
#     ci/bench.sh storm live           those workloads
#     ci/bench.sh --quick storm        ours alone, for who is changing it
#     ci/bench.sh --help               all options
#
# Prints tables, and writes target/bench/results.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
export BENCH_DIR=$target/bench
mkdir -p "$BENCH_DIR"
BENCH_DIR=$(realpath "$BENCH_DIR")

# A person's settings are not what is measured here.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR RUST_BACKTRACE

cargo run --quiet --release --locked --manifest-path ci/bench/Cargo.toml --target-dir "$BENCH_DIR/untraced" \
    --package bench-driver -- "$@"
