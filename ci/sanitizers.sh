#!/usr/bin/env bash
# The library's own stress under AddressSanitizer, and the benchmark's under Valgrind's Memcheck.
# Takes some three minutes.
#
#     ci/sanitizers.sh           both
#     ci/sanitizers.sh asan      AddressSanitizer: needs a nightly toolchain
#     ci/sanitizers.sh memcheck  Memcheck: needs valgrind
#
# Neither may report anything. Leaks are not looked for: the tests make some.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}

asan() {
    # One test asks for more memory than there is.
    export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0
    export RUSTFLAGS="${RUSTFLAGS:-} -Zsanitizer=address"
    local test=(cargo +nightly test --package tracemalloc-rt)
    test+=(--target "$host" --target-dir "$target/asan")
    "${test[@]}" --lib -- trace:: os:: util::
    "${test[@]}" --test exact --test live
}

memcheck() {
    # As `cargo tracemalloc test` has everything compiled: with frame pointers.
    RUSTFLAGS="${RUSTFLAGS:-} -Cforce-frame-pointers=yes" \
        cargo build --locked --release --package bench-ours --bin bench-ours \
        --manifest-path ci/bench/Cargo.toml --target-dir "$target/memcheck"
    # A workload, and into how many parts it is divided, of which one is done.
    local work
    for work in 'serde_json 60' 'storm-2 200' 'realloc 1000' 'deep 500' 'handover 500'; do
        # shellcheck disable=SC2086
        valgrind --quiet --error-exitcode=9 "$target/memcheck/release/bench-ours" $work
    done
}

case ${1:-both} in
asan) asan ;;
memcheck) memcheck ;;
both) (asan) && (memcheck) ;;
*) echo "sanitizers: expected asan or memcheck, not $1" >&2 && exit 2 ;;
esac
