#!/usr/bin/env bash
# Publishes the four packages, each after those that it depends on.
#
#     ci/publish.sh            checks everything, and publishes nothing
#     ci/publish.sh --execute  publishes; needs a token for crates.io (`cargo login`)
#
# The order is tracemalloc-macros, tracemalloc-rt, tracemalloc-harness, cargo-tracemalloc. cargo
# finds it, and waits until each is in the index. Needs cargo 1.90 or later.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(sed -nE 's/^version = "([0-9.]+)"$/\1/p' Cargo.toml)
fail() { # message
    echo "publish: $1" >&2
    exit 1
}

case ${1:-} in
'') options=(--dry-run) ;;
--execute) options=() ;;
*) fail "unknown argument \`$1\`; expected --execute or none" ;;
esac

[[ -z $(git status --porcelain) ]] || fail 'the working tree has changes; commit them first'
! grep -q '^repository = .*OWNER/REPOSITORY' Cargo.toml ||
    fail 'Cargo.toml names no repository; replace OWNER/REPOSITORY in it and in docs/ci.md'
grep -q "^## $version, 2" CHANGELOG.md ||
    fail "CHANGELOG.md has no date for $version; write it in place of \`unreleased\`"
[[ $(git tag --points-at HEAD) == *"v$version"* ]] ||
    fail "this commit has no tag v$version; the workflow \`release\` builds binaries of that tag"

ci/package.sh
cargo publish --workspace --locked "${options[@]}"
