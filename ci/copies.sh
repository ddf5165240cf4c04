#!/usr/bin/env bash
# Files that exist several times, because each package must be whole by itself, are equal.
#
#     ci/copies.sh            fails, with the files' names, when a copy differs
#     ci/copies.sh --write    copies the originals again
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

copies() {
    local package
    for package in cargo-tracemalloc cargo-tracemalloc/harness tracemalloc-macros tracemalloc-rt; do
        printf '%s %s\n' LICENSE-MIT "$package/LICENSE-MIT" LICENSE-APACHE "$package/LICENSE-APACHE"
    done
    # The macros read sizes when they expand, and the runtime reads them when a program runs.
    echo tracemalloc-rt/src/model/parse_size.rs tracemalloc-macros/src/parse_size.rs
}

status=0
while read -r original copy; do
    if [[ ${1:-} == --write ]]; then
        cp "$original" "$copy"
    elif ! cmp -s "$original" "$copy"; then
        echo "copies: $copy differs from $original; run ci/copies.sh --write" >&2
        status=1
    fi
done < <(copies)
exit $status
