#!/usr/bin/env bash
# Runs README's demo with the oldest Rust that may compile tests, and builds the library with it.
#
#     ci/old-rust.sh
#
# Uses that toolchain if rustup has it. Otherwise downloads Debian's build of it into
# target/old-rust, without installing it. Skips everything, and says so, if there is none. Takes
# half a minute, once the command is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Questions to rustup must not make it install toolchains.
export RUSTUP_AUTO_INSTALL=0

oldest=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' tracemalloc-rt/Cargo.toml)
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
directory=$target/old-rust

# The version of a package of Debian's Rust: `1.85.0+dfsg3-1~deb12u3`. Security updates bring newer
# ones beside it.
debian_version() { # package
    apt-cache madison "$1" 2>/dev/null | awk -v start="$oldest." 'index($3, start) == 1 && !n++ { print $3 }'
}

# Unpacks Debian's packages of this Rust, with the libraries that the system may lack.
unpack_debian() {
    local package version packages=("libstd-rust-web-$oldest" libllvm19 libpcre3 libhttp-parser2.9)
    [[ $(uname -sm) == "Linux x86_64" ]] && command -v apt-get dpkg >/dev/null || return 1
    if [[ -z $(debian_version rustc-web) && $(id -u) == 0 ]]; then
        timeout 120 apt-get -qq update >/dev/null 2>&1 || return 1
    fi
    for package in rustc-web cargo-web libstd-rust-web-dev; do
        version=$(debian_version "$package")
        [[ -n $version ]] || return 1
        packages+=("$package=$version")
    done
    if [[ ! -f $directory/complete ]]; then
        rm -rf "$directory"
        mkdir -p "$directory"
        (
            cd "$directory"
            timeout 300 apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}"
            for package in *.deb; do
                dpkg -x "$package" .
                rm "$package"
            done
            touch complete
        ) || return 1
    fi
}

if rustup run "$oldest" rustc --version >/dev/null 2>&1; then
    with_old() { rustup run "$oldest" "$@"; }
elif unpack_debian; then
    libraries=$directory/usr/lib/x86_64-linux-gnu:$directory/lib/x86_64-linux-gnu
    with_old() {
        env PATH="$directory/usr/bin:$PATH" LD_LIBRARY_PATH="$libraries:$directory/usr/lib/llvm-19/lib" \
            "$@"
    }
else
    echo "old-rust: skipped: no Rust $oldest here; try \`rustup toolchain install $oldest\`"
    exit 0
fi
with_old rustc --version

cargo build --quiet --package cargo-tracemalloc
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
TRACEMALLOC_CACHE_DIR=$target/tmp/cache with_old "$target/debug/cargo-tracemalloc" tracemalloc test \
    --manifest-path tests/fixtures/demo/Cargo.toml --target-dir "$target/old-rust-demo" \
    --color never >"$output" 2>&1 || status=$?
frames=$(sed -nE 's/^    (demo::[^ ]+) .*/\1/p' "$output" | tr '\n' ' ')
if ((status != 102)) || [[ $frames != 'demo::cache::Cache::fill demo::cache::tests::forgets_the_oldest ' ]]; then
    cat "$output" >&2
    echo "old-rust: the demo ends with $status and should with 102, and two frames of one leak" >&2
    exit 1
fi

# The library, in a package that has no lock file: cargo finds dependencies for this Rust.
package=$(mktemp -d)
trap 'rm -rf "$output" "$package"' EXIT
mkdir "$package/src"
cat >"$package/Cargo.toml" <<END
[package]
name = "library-user"
version = "0.1.0"
edition = "2024"
rust-version = "$oldest"
[dependencies]
tracemalloc-rt = { path = "$PWD/tracemalloc-rt" }
[workspace]
END
echo 'fn main() { let _trace = tracemalloc::start(1); }' >"$package/src/main.rs"
with_old cargo check --quiet --manifest-path "$package/Cargo.toml" --target-dir "$target/old-rust-library"
echo "old-rust: Rust $oldest builds and runs the demo's tests, and the library"
