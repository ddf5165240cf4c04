#!/usr/bin/env bash
# Packages the crates as cargo publishes them, builds the command from the `.crate` files alone in
# an empty directory, and runs README's demo with it.
#
#     ci/package.sh              builds like `cargo build`, and uses its dependencies again
#     ci/package.sh --install    installs like `cargo install`, which takes minutes
#
# Two packages cannot be downloaded before they are published, so the build gets all four from the
# unpacked files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(tracemalloc-macros tracemalloc-rt tracemalloc-harness cargo-tracemalloc)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
version=$(sed -nE 's/^version = "([0-9.]+)"$/\1/p' Cargo.toml)

# `--allow-dirty` because a change may be tried before it is committed.
cargo package --workspace --no-verify --allow-dirty --quiet --target-dir "$target"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp -r tests/fixtures/demo "$dir/demo"
rm -rf "$dir/demo/target"
patches=()
for package in "${packages[@]}"; do
    crate=$target/package/$package-$version.crate
    tar -xzf "$crate" -C "$dir"
    for file in LICENSE-MIT LICENSE-APACHE README.md; do
        [[ -f $dir/$package-$version/$file ]] || {
            echo "package: $crate has no $file" >&2
            exit 1
        }
    done
    if [[ $package != cargo-tracemalloc ]]; then
        patches+=(--config "patch.crates-io.$package.path=\"$dir/$package-$version\"")
    fi
done
lock=$PWD/Cargo.lock
cd "$dir"

if [[ ${1:-} == --install ]]; then
    cargo install --path "cargo-tracemalloc-$version" --root "$dir/root" "${patches[@]}"
    command=$dir/root/bin/cargo-tracemalloc
else
    # As in the workspace's manifest, so that its builds are used again.
    for fast in addr2line gimli rustc-demangle; do
        patches+=(--config "profile.dev.package.$fast.opt-level=3")
    done
    cargo build --quiet --manifest-path "cargo-tracemalloc-$version/Cargo.toml" \
        --target-dir "$target" "${patches[@]}"
    # The next build in the checkout replaces this program.
    command=$dir/cargo-tracemalloc
    cp "$target/debug/cargo-tracemalloc" "$command"
fi

status=0
TRACEMALLOC_CACHE_DIR=$dir/cache "$command" tracemalloc test --manifest-path demo/Cargo.toml \
    --color never >output.txt 2>&1 || status=$?
if ((status != 102)) || ! grep -q '^lost Vec<u8> (src/cache.rs:34): 4096 B' output.txt; then
    cat output.txt >&2
    echo "package: the demo ends with $status, and should with 102 for the leak at src/cache.rs:34" >&2
    exit 1
fi

# The names and versions of a lock file's packages.
locked() { # lock file
    awk '/^name = / { name = $3 } /^version = / && name { print name, $3; name = "" }' "$1" | sort
}
# The harness's dependencies are those that were tested.
others=$(comm -23 <(locked cache/"$version"-*/Cargo.lock) <(locked "$lock") |
    grep -vE '^"tracemalloc-(traced|interposed|program)"' || true)
if [[ -n $others ]]; then
    printf 'package: the runtime was built with packages that Cargo.lock does not name:\n%s\n' \
        "$others" >&2
    exit 1
fi
echo "package: built from $(printf '%s ' "${packages[@]/%/-$version.crate}")and ran the demo"
