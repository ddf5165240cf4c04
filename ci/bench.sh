#!/usr/bin/env bash
# What tracing every allocation costs: the same work untraced, under ours, and under other tracers, all in turn.
# docs/benchmarks.md says what is measured.
#
#     ci/bench.sh                      all workloads, all tracers; takes about half an hour
#     ci/bench.sh storm live           those workloads
#     ci/bench.sh --quick storm        ours alone, for who is changing the tracer
#     ci/bench.sh --suites             whole test suites under every runner
#     ci/bench.sh --first-build        what a new user waits for
#     ci/bench.sh --cpython            beside CPython's tracemalloc
#     ci/bench.sh --show --markdown    all that is known, for docs/benchmarks.md
#     ci/bench.sh --lint               formatting, lints and tests of the benchmark itself
#
# Prints tables; results.json and results.svg are in target/bench. Needs a C compiler, valgrind, heaptrack, cargo-nextest and
# python3, and installs those that are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export BENCH_DIR=${CARGO_TARGET_DIR:-target}/bench
mkdir -p "$BENCH_DIR"
BENCH_DIR=$(realpath "$BENCH_DIR")

# A person's settings are not what is measured here.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR RUST_BACKTRACE RUST_TEST_THREADS TRACEMALLOC

workspace=(--manifest-path ci/bench/Cargo.toml --target-dir "$BENCH_DIR/untraced")

if [[ ${1:-} == --lint ]]; then
    # Apart from ci/lint.sh: jemalloc takes minutes to compile.
    cargo fmt --all --check --manifest-path ci/bench/Cargo.toml
    cargo clippy --locked --workspace --all-targets "${workspace[@]}" -- -D warnings
    exec cargo test --locked --workspace "${workspace[@]}"
fi

install() { # package
    echo "bench: installing $1" >&2
    local sudo=()
    ((EUID == 0)) || sudo=(sudo)
    if command -v apt-get >/dev/null && "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -qq --yes "$1" >&2; then
        return
    fi
    echo "bench: $1 is missing, and apt-get cannot install it; install it, or measure ours alone with --quick" >&2
    exit 1
}

need() { # command
    command -v "$1" >/dev/null || install "$1"
}

case " $* " in
*" --quick "* | *" --show "* | *" --help "*) ;;
*)
    need valgrind
    need heaptrack
    need python3
    ci/tools.sh
    ;;
esac

exec cargo run --quiet --release --package bench-driver "${workspace[@]}" -- "$@"
