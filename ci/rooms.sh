#!/usr/bin/env bash
# Imports between source files: a room imports only from rooms below it, and files form no circle.
#
#     ci/rooms.sh             checks the runtime, the macros, the harness and the command
#     ci/rooms.sh --arrows    prints the imports of each: importing file, imported file
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The rooms of a crate, a line a level, the lowest level first. Rooms of one level do not import
# each other. A room is a directory or a file of `src`. A crate without a table has no levels to
# keep.
levels() { # crate
    case $1 in
    tracemalloc-rt)
        printf '%s\n' 'os util error sources' 'model trace' 'limits names c_malloc' heap bridge \
            'allocator api judge' 'check internal' '__private lib'
        ;;
    cargo-tracemalloc)
        printf '%s\n' util 'cli name_server' 'config snapshot workspace' runtimes \
            wrapper report 'front profile' output suite commands main
        ;;
    cargo-tracemalloc/harness) printf '%s\n' 'protocol sources' child lib ;;
    esac
}

# Prints the arrows that point to a room that is not below.
upwards() { # crate, then arrows on standard input
    awk '
        function room(file) { sub(/[\/.].*/, "", file); return file }
        FNR == NR { for (i = 1; i <= NF; i++) level[$i] = FNR; next }
        !(room($1) in level) { print room($1) ": this room has no level in ci/rooms.sh"; next }
        room($1) != room($2) && level[room($2)] >= level[room($1)] { print $1 " imports " $2 }
    ' <(levels "$1") -
}

status=0
for crate in tracemalloc-rt tracemalloc-macros cargo-tracemalloc/harness cargo-tracemalloc; do
    imports=$PWD/ci/imports.awk
    arrows=$(cd "$crate/src" && find . -name '*.rs' | sed 's|^\./||' | sort | xargs awk -f "$imports")
    if [[ ${1:-} == --arrows ]]; then
        printf '%s\n' "$crate:" "$arrows"
        continue
    fi
    up=$([[ -z $(levels "$crate") ]] || upwards "$crate" <<<"$arrows" | sort -u)
    # What declares a crate's modules also names what it exports: no circle is closed there.
    circle=$(grep -vE '^(lib|main)\.rs ' <<<"$arrows" | tsort 2>&1 >/dev/null | sed 's/^tsort: //' || true)
    if [[ -n $up$circle ]]; then
        echo "rooms: $crate/src" >&2
        [[ -z $up ]] || printf 'a room imports only from rooms below it:\n%s\n' "$up" >&2
        [[ -z $circle ]] || printf 'files import each other in a circle:\n%s\n' "$circle" >&2
        status=1
    fi
done
exit $status
