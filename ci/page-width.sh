#!/usr/bin/env bash
# Checks that lines of Markdown and of comments have at most 100 columns. Tables and code may be
# wider: a table cannot be wrapped, and pasted output stays as it was printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

wide=$(git ls-files '*.md' | xargs awk '
    FNR == 1 { fence = 0 }
    /^ *```/ { fence = !fence; next }
    fence || /^\|/ || /^    / { next }
    length($0) > 100 { print FILENAME ":" FNR ": " length($0) " columns" }
')
comments=$(git ls-files '*.rs' '*.sh' '*.awk' '*.toml' '*.yml' | xargs awk '
    FNR == 1 { fence = 0; marks = FILENAME ~ /[.]rs$/ ? "^ *//[/!]? ?" : "^ *#+ ?" }
    $0 !~ marks { next }
    { width = length($0); sub(marks, "") }
    /^ *```/ { fence = !fence; next }
    fence || /^\|/ || /^    / { next }
    width > 100 { print FILENAME ":" FNR ": " width " columns" }
')
if [[ -n $wide$comments ]]; then
    printf 'page-width: at most 100 columns, please:\n' >&2
    printf '%s\n' "$wide" "$comments" | sed '/^$/d' >&2
    exit 1
fi
