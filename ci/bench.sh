#!/usr/bin/env bash
# Compares the time and memory of the same work untraced, under this tracer, and under other
# tracers. docs/benchmarks.md describes the method.
#
#     ci/bench.sh                      all workloads, all tracers: about half an hour
#     ci/bench.sh storm live           those workloads
#     ci/bench.sh --quick storm        this tracer alone, while you change it
#     ci/bench.sh --suites             whole test suites under every runner
#     ci/bench.sh --first-build        the first build of the runtime and the harness
#     ci/bench.sh --cpython            CPython's tracemalloc on the same work
#     ci/bench.sh --show --markdown    all known results, for docs/benchmarks.md
#     ci/bench.sh --lint               formatting, lints and tests of the benchmark itself
#
# Prints tables, and writes results.json and results.svg to target/bench. Needs a C compiler, and
# installs valgrind, heaptrack, python3 and cargo-nextest if they are missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export BENCH_DIR=${CARGO_TARGET_DIR:-target}/bench
mkdir -p "$BENCH_DIR"
BENCH_DIR=$(realpath "$BENCH_DIR")

# Your own settings must not change the results.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR RUST_BACKTRACE RUST_TEST_THREADS TRACEMALLOC

workspace=(--manifest-path ci/bench/Cargo.toml --target-dir "$BENCH_DIR/untraced")

if [[ ${1:-} == --lint ]]; then
    # Not part of ci/lint.sh, because jemalloc takes minutes to compile.
    cargo fmt --all --check --manifest-path ci/bench/Cargo.toml
    cargo clippy --locked --workspace --all-targets "${workspace[@]}" -- -D warnings
    exec cargo test --locked --workspace "${workspace[@]}"
fi

install() { # package
    echo "bench: installing $1" >&2
    local sudo=()
    ((EUID == 0)) || sudo=(sudo)
    if command -v apt-get >/dev/null && "${sudo[@]}" apt-get update -qq &&
        "${sudo[@]}" apt-get install -qq --yes "$1" >&2; then
        return
    fi
    echo "bench: apt-get cannot install $1: install it, or measure without it by --quick" >&2
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
