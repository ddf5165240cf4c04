#!/usr/bin/env bash
# Compares the time of `cargo tracemalloc test` and `cargo test` on a workspace that is already
# built. Both run in turn, so that a busy machine slows both. Prints the median of each.
#
#     ci/overhead.sh [ROUNDS] [WORKSPACE]    21 rounds of the demo of the README by default
#
# Calls both through cargo, as users do. Rustup's cargo and a cargo without rustup's variables
# discard each other's notes on the compiler in the target directory, and would query it each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-21} workspace=${2:-tests/fixtures/demo}
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release --package cargo-tracemalloc
PATH=$(realpath "$target/release"):$PATH
unset CARGO_TARGET_DIR RUSTFLAGS
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -R "$workspace/." "$scratch/workspace"
cd "$scratch/workspace"

# Prints the milliseconds that a command takes. Failing or leaking tests do not matter here.
milliseconds() { # command...
    local start=${EPOCHREALTIME/[.,]/}
    "$@" >/dev/null 2>&1 </dev/null || true
    echo $(((${EPOCHREALTIME/[.,]/} - start) / 1000))
}

median() { # numbers...
    printf '%s\n' "$@" | sort -n | sed -n "$(($# / 2 + 1))p"
}

plain=() traced=()
for ((round = 0; round <= rounds; round++)); do
    one=$(milliseconds cargo test --no-fail-fast)
    other=$(milliseconds cargo tracemalloc test --no-fail-fast)
    # The first round builds.
    ((round == 0)) || { plain+=("$one") traced+=("$other"); }
done
plain=$(median "${plain[@]}") traced=$(median "${traced[@]}")
echo "cargo test $plain ms, cargo tracemalloc test $traced ms: $((traced - plain)) ms more" \
    "(median of $rounds rounds in turn)"
