#!/usr/bin/env bash
# Judges published leaks by this command, LeakSanitizer and valgrind. Each is a version of a crate
# that leaks and the one that fixed it, with one test. Prints the tables of docs/verdicts.md.
#
#     ci/corpus.sh               all pairs of tests/corpus/pairs.toml
#     ci/corpus.sh lru_pop ...   those
#
# Works in CORPUS_DIR, or target/corpus. Needs a nightly compiler (for `-Zsanitizer=leak`),
# valgrind, and a network the first time. Takes about half an hour on two cores. Exits with 1 when a
# verdict of ours is wrong, or when a test does not leak as the table of pairs says.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$PWD/$target
command -v valgrind >/dev/null || { echo "corpus: valgrind is not installed" >&2 && exit 2; }
cargo +nightly --version >/dev/null || { echo "corpus: there is no nightly compiler" >&2 && exit 2; }

# A person's settings are not measured here.
unset RUST_BACKTRACE RUST_TEST_THREADS RUSTFLAGS CARGO_TARGET_DIR

(cd "$root" && cargo build --quiet -p cargo-tracemalloc --bins --target-dir "$target")
export CORPUS_DIR=${CORPUS_DIR:-$target/corpus}
export CORPUS_COMMAND=$target/debug/cargo-tracemalloc
cargo run --quiet --manifest-path "$root/tests/corpus/Cargo.toml" --target-dir "$target/corpus-runner" -- "$@"
