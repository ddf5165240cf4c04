#!/usr/bin/env bash
# What LeakSanitizer and valgrind say of the planted leaks, a line a test: the table in docs/heap.md is made of it.
#
#     ci/other-tools.sh [FIXTURE...]    all of tests/fixtures/planted/leaks, or those
#
# Needs a nightly compiler (for `-Zsanitizer=leak`) and valgrind. Each test runs in a process of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../tests/fixtures/planted"

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
    RUSTFLAGS=$2 cargo "+$1" test --locked --no-run --lib --tests --target x86_64-unknown-linux-gnu \
        --target-dir "$3" --message-format json "${packages[@]}" 2>/dev/null |
        sed -nE 's/.*"executable":"([^"]+)".*/\1/p' | sort
}

mapfile -t sanitized < <(binaries nightly -Zsanitizer=leak "$target/lsan")
mapfile -t plain < <(binaries stable '' "$target/plain")
for index in "${!plain[@]}"; do
    binary=${plain[$index]}
    crate=$(basename "$binary" | sed 's/-[0-9a-f]*$//')
    while read -r test; do
        lsan=$("${sanitized[$index]}" --exact "$test" --test-threads 1 2>&1 >/dev/null | sed -nE 's/^SUMMARY: LeakSanitizer: (.*) allocation.*/\1/p' || true)
        memcheck=$(valgrind --leak-check=full --show-leak-kinds=all "$binary" --exact "$test" --test-threads 1 2>&1 >/dev/null |
            sed -nE 's/.*(definitely lost|indirectly lost|possibly lost|still reachable): ([0-9,]+) bytes in ([0-9,]+) blocks/\1 \2 in \3/p' | paste -sd';')
        printf '%s::%s | %s | %s\n' "$crate" "$test" "${lsan:-nothing}" "$memcheck"
    done < <("$binary" --list --format terse 2>/dev/null | sed -n 's/: test$//p')
done
