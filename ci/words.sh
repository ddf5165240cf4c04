#!/usr/bin/env bash
# Checks the words of pages, sources and scripts. A sentence names its actor (the front, the
# harness, the command, a test), so these words are not used. A comment does not open with "What" or
# "Who".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

texts=('*.md' '*.rs' '*.sh' '*.toml' '*.yml' ':!ci/words.sh')
vague='(\b|_)(nobody|somebody|anybody|everybody|someone|whoever)(\b|_)'
passive='\b(is|are|was|were) (asked|told|held to be)\b'
found=$(git grep -nIiE "$vague|$passive" -- "${texts[@]}" || true)
opened=$(git grep -nIE '^ *//[/!]? (What|Who) ' -- '*.rs' || true)
# Not a word, but as quickly found: injected crates are compiled by the user's Rust, and chains of
# `let` need Rust 1.88.
injected=(tracemalloc-rt/src tracemalloc-macros/src cargo-tracemalloc/harness/src)
chains=$(grep -rlPz '\b(if|while) let [^{;]*&&' "${injected[@]}" || true)
if [[ -n $chains ]]; then
    printf 'words: nest `if let` in place of a chain, for Rust 1.85:\n%s\n' "$chains" >&2
    exit 1
fi
if [[ -n $found$opened ]]; then
    echo 'words: name the actor, and open a comment with a noun or an imperative:' >&2
    printf '%s\n' $'\n'"$found" "$opened" | sed '/^$/d' >&2
    exit 1
fi
