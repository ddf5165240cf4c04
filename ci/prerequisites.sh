#!/usr/bin/env bash
# Checks that the programs are installed that the other scripts need, and names each missing one
# with a way to install it.
#
#     ci/prerequisites.sh          what ci/test.sh needs
#     ci/prerequisites.sh --all    also Miri, the sanitizers, the benchmark and the comparison
#
# Installs nothing. Takes less than a second.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Questions to rustup must not make it install toolchains.
export RUSTUP_AUTO_INSTALL=0

case ${1:-} in
'') all=false ;;
--all) all=true ;;
*)
    echo "usage: ci/prerequisites.sh [--all]" >&2
    exit 2
    ;;
esac

missing=0

# Reports a missing program.
lacks() { # name, how to install it
    printf 'prerequisites: %s is missing: %s\n' "$1" "$2" >&2
    missing=$((missing + 1))
}

# Checks that a command can be run.
need() { # command, how to install it
    command -v "$1" >/dev/null || lacks "$1" "$2"
}

# Prints the way to install a package of the system.
package() { # package
    if command -v apt-get >/dev/null; then
        echo "apt-get install $1"
    elif command -v dnf >/dev/null; then
        echo "dnf install $1"
    elif command -v brew >/dev/null; then
        echo "brew install $1"
    else
        echo "install the package $1"
    fi
}

rustup=https://rustup.rs
need git "$(package git)"
need awk "$(package gawk)"
need cc "$(package gcc)"
if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
    lacks cargo "install Rust, see $rustup"
else
    promised=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' Cargo.toml)
    version=$(rustc --version | sed -nE 's/^rustc ([0-9]+\.[0-9]+).*/\1/p')
    oldest=$(printf '%s\n%s\n' "$promised" "$version" | sort -t . -k 1,1n -k 2,2n | head -n 1)
    if [[ $oldest != "$promised" ]]; then
        lacks "Rust $promised" "this is Rust $version; rustup update stable"
    fi
    cargo fmt --version >/dev/null 2>&1 || lacks rustfmt 'rustup component add rustfmt'
    cargo clippy --version >/dev/null 2>&1 || lacks clippy 'rustup component add clippy'
    # Called by ci/msrv.sh for another toolchain, if the active one is newer.
    if [[ $version != "$promised" ]]; then
        need rustup "install Rust $promised by rustup, see $rustup"
    fi
fi
if ((BASH_VERSINFO[0] < 5)); then
    lacks 'bash 5' "this is bash $BASH_VERSION; $(package bash)"
fi
case $(uname -s) in
Linux) need tsort "$(package coreutils)" ;;
esac
# ci/tools.sh installs this one by itself.
if ! command -v cargo-nextest >/dev/null; then
    echo 'prerequisites: ci/tools.sh will install cargo-nextest, which takes minutes' >&2
fi

if $all; then
    if ! cargo +nightly --version >/dev/null 2>&1; then
        lacks 'a nightly toolchain' 'rustup toolchain install nightly --component miri,rust-src'
    else
        for tool in miri rust-src; do
            rustup +nightly component list --installed 2>/dev/null | grep -q "^$tool" ||
                lacks "$tool of nightly" "rustup +nightly component add $tool"
        done
    fi
    need valgrind "$(package valgrind)"
    need heaptrack "$(package heaptrack)"
    need python3 "$(package python3)"
fi

((missing == 0)) || exit 1
