#!/usr/bin/env bash
# What `cargo tracemalloc test` costs beside `cargo test` on a workspace that is built already: both in turn, so that a busy
# machine slows both, and the median of each. Arguments: rounds, and a workspace (the demo of the README by default).
#
# Called by cargo, as users do it: rustup's cargo, and one that is called without rustup's variables, throw away what the
# other has noted of the compiler in the target directory, and ask it again each time.
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

# The milliseconds that a command takes; whether tests fail or leak is not the question.
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
echo "cargo test $plain ms, cargo tracemalloc test $traced ms: $((traced - plain)) ms more (median of $rounds rounds in turn)"
