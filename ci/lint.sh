#!/usr/bin/env bash
# Formatting and lints of the workspace and of every fixture that compiles; imports between rooms;
# headers of files; words; width of pages and comments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ci/rooms.sh
ci/file-list.sh --check
ci/page-width.sh
ci/words.sh
ci/copies.sh
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features -- -D warnings

for fixture in demo causes hints paths planted behaviour service; do
    manifest=tests/fixtures/$fixture/Cargo.toml
    cargo fmt --all --check --manifest-path "$manifest"
    cargo clippy --workspace --all-targets --locked --manifest-path "$manifest" \
        --target-dir "${CARGO_TARGET_DIR:-target}/fixtures" -- -D warnings
done

# `bench.sh --lint` has the lints of the benchmark, because jemalloc takes minutes to compile.
cargo fmt --all --check --manifest-path ci/bench/Cargo.toml

# `checks.sh` has the lints of these, because their dependencies take minutes to compile.
cargo fmt --all --check --manifest-path tests/fixtures/checks/Cargo.toml

# clippy would compile the program without std as a test.
manifest=tests/fixtures/programs/Cargo.toml
cargo fmt --all --check --manifest-path "$manifest"
cargo clippy --workspace --exclude bare --all-targets --locked --manifest-path "$manifest" \
    --target-dir "${CARGO_TARGET_DIR:-target}/fixtures" -- -D warnings

# One member of this fixture needs nightly.
manifest=tests/fixtures/set-ups/Cargo.toml
cargo fmt --all --check --manifest-path "$manifest"
RUSTC_BOOTSTRAP=1 cargo clippy --workspace --all-targets --locked --manifest-path "$manifest" \
    --target-dir "${CARGO_TARGET_DIR:-target}/fixtures" -- -D warnings

# Cores and wrappings are no modules, so cargo does not format them.
cargo fmt --check --manifest-path tests/generated/Cargo.toml
for template in tests/generated/{cores/*,wrappings,support}/*.rs; do
    rustfmt --edition 2024 --config-path rustfmt.toml --check <"$template" >/dev/null || {
        echo "lint: rustfmt formats $template in another way" >&2
        exit 1
    }
done
cargo clippy --all-targets --locked --manifest-path tests/generated/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}/generated/generator" -- -D warnings

# ci/fuzz.sh compiles it.
cargo fmt --check --manifest-path tests/fuzz/Cargo.toml

# Tests of the corpus are copied into packages, so cargo does not format them.
manifest=tests/corpus/Cargo.toml
cargo fmt --check --manifest-path "$manifest"
rustfmt --edition 2024 --config-path rustfmt.toml --check tests/corpus/pairs/*.rs
cargo clippy --locked --manifest-path "$manifest" \
    --target-dir "${CARGO_TARGET_DIR:-target}/corpus-runner" -- -D warnings
