#!/usr/bin/env bash
# Checks that lines of Markdown have at most 100 columns. Tables and code may be wider: a table
# cannot be wrapped, and pasted output stays as it was printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pages=$(git ls-files '*.md')
wide=$(awk '
    FNR == 1 { fence = 0 }
    /^ *```/ { fence = !fence; next }
    fence || /^\|/ || /^    / { next }
    length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns" }
' $pages)
if [[ -n $wide ]]; then
    printf 'page-width: at most 100 columns, please:\n%s\n' "$wide" >&2
    exit 1
fi
