#!/usr/bin/env bash
# Runs the planted leaks under LeakSanitizer and valgrind, a line for each test. The tables in
# docs/heap.md come from its output.
#
#     ci/other-tools.sh [FIXTURE...]    all of tests/fixtures/planted/leaks, or only those
#     ci/other-tools.sh --c             tests/fixtures/c-memory
#
# Needs valgrind, and a nightly compiler for `-Zsanitizer=leak`. Each test has its own process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/fixtures"
if [[ ${1:-} == --c ]]; then
    cd c-memory
    set -- c-memory
else
    cd planted
fi

target=${CARGO_TARGET_DIR:-$PWD/target}/other-tools
packages=()
for fixture in "${@:-}"; do
    [[ -z $fixture ]] || packages+=(-p "$fixture")
done
if ((${#packages[@]} == 0)); then
    for directory in leaks/*/; do packages+=(-p "$(basename "$directory")"); done
fi

# The test binaries of a build.
binaries() { # toolchain flags target-directory
    RUSTFLAGS=$2 cargo "+$1" test --locked --no-run --lib --tests \
        --target x86_64-unknown-linux-gnu --target-dir "$3" --message-format json \
        "${packages[@]}" 2>/dev/null |
        sed -nE 's/.*"executable":"([^"]+)".*/\1/p' | sort
}

kinds='definitely lost|indirectly lost|possibly lost|still reachable'
mapfile -t sanitized < <(binaries nightly -Zsanitizer=leak "$target/lsan")
mapfile -t plain < <(binaries stable '' "$target/plain")
for index in "${!plain[@]}"; do
    binary=${plain[$index]}
    crate=$(basename "$binary" | sed 's/-[0-9a-f]*$//')
    while read -r test; do
        one=(--exact "$test" --test-threads 1)
        lsan=$("${sanitized[$index]}" "${one[@]}" 2>&1 >/dev/null |
            sed -nE 's/^SUMMARY: LeakSanitizer: (.*) allocation.*/\1/p' || true)
        memcheck=$(
            valgrind --leak-check=full --show-leak-kinds=all "$binary" "${one[@]}" 2>&1 >/dev/null |
                sed -nE "s/.*($kinds): ([0-9,]+) bytes in ([0-9,]+) blocks/\1 \2 in \3/p" |
                paste -sd';'
        )
        printf '%s::%s | %s | %s\n' "$crate" "$test" "${lsan:-nothing}" "$memcheck"
    done < <("$binary" --list --format terse 2>/dev/null | sed -n 's/: test$//p')
done
