#!/usr/bin/env bash
# Feeds made-up inputs to the code that reads what other processes, files and people write:
# tests/fuzz.
#
#     ci/fuzz.sh                             20,000 inputs for each target, always the same ones
#     ci/fuzz.sh --runs 1000000 [TARGET...]  libFuzzer, with so many inputs for each target
#
# libFuzzer needs a C++ compiler, but no nightly Rust and no cargo-fuzz: the flags are those of
# cargo-fuzz without a sanitizer, because the code has no `unsafe`. It leaves a finding in
# target/fuzz-findings. `cargo +nightly fuzz run --features libfuzzer TARGET` in tests/fuzz does the
# same with a sanitizer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "fuzz: $*" >&2
    exit 2
}

target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")
manifest=(--locked --manifest-path tests/fuzz/Cargo.toml --target-dir "$target_dir/fuzz")
# Files of the targets, in memory if the system has such a directory.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

if (($# == 0)); then
    cargo test --quiet "${manifest[@]}"
    exit
fi
[[ $1 == --runs && ${2:-} =~ ^[1-9][0-9]*$ ]] || fail 'usage: ci/fuzz.sh [--runs NUMBER [TARGET...]]'
runs=$2
targets=("${@:3}")
((${#targets[@]})) || targets=(configuration fnmatch fragment size snapshot wire)
command -v c++ >/dev/null || fail 'libFuzzer needs a C++ compiler, such as the package g++'

corpus=$target_dir/fuzz-corpus
findings=$target_dir/fuzz-findings
rm -rf "$corpus"
mkdir -p "$corpus" "$findings"
cargo run --quiet "${manifest[@]}" --bin seeds -- "$corpus"

# The edges of the control flow, for libFuzzer.
flags=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4)
flags+=(-Cllvm-args=-sanitizer-coverage-inline-8bit-counters)
flags+=(-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares)
flags+=(-Ccodegen-units=1 --cfg=fuzzing)
host=$(rustc -vV | sed -n 's/^host: //p')
# With `--target`, build scripts get no flags.
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}") cargo build --quiet --release \
    "${manifest[@]}" --features libfuzzer --target "$host" "${targets[@]/#/--bin=}"

for target in "${targets[@]}"; do
    log=$target_dir/fuzz-$target.log
    if ! "$target_dir/fuzz/$host/release/$target" "$corpus/$target" -runs="$runs" -seed=1 \
        -max_len=16384 -timeout=20 -rss_limit_mb=768 -artifact_prefix="$findings/$target-" \
        >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "fuzz: $target has a finding in $findings" >&2
        exit 1
    fi
    kept=$(find "$corpus/$target" -type f | wc -l)
    echo "fuzz: $target: $(grep -a '^Done' "$log"), $kept inputs kept"
done
