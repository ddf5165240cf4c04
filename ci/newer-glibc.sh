#!/usr/bin/env bash
# Runs the tests of the heap search with the newest glibc that Debian has.
#
#     ci/newer-glibc.sh
#
# Downloads the library into target/newer-glibc, without installing it. Skips the tests, and says
# so, if there is no `apt-get`, no network, or another architecture than x86-64. Takes half a
# minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

skip() {
    echo "newer-glibc: skipped: $1"
    exit 0
}

[[ $(uname -sm) == "Linux x86_64" ]] || skip "not x86-64 Linux"
command -v apt-get dpkg > /dev/null || skip "no apt-get here"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -f $keyring ]] || skip "no keyring of Debian's archive here"

directory=$PWD/target/newer-glibc
libraries=$directory/root/usr/lib/x86_64-linux-gnu
if [[ ! -f $libraries/libc.so.6 ]]; then
    rm -rf "$directory"
    mkdir -p "$directory"/{lists,cache}/partial
    echo "deb [signed-by=$keyring] http://deb.debian.org/debian sid main" > "$directory/sources.list"
    options=(
        -o Dir::Etc::sourcelist="$directory/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::lists="$directory/lists" -o Dir::Cache="$directory/cache"
        -o APT::Sandbox::User=root -o Acquire::Languages=none -qq
    )
    cd "$directory"
    timeout 120 apt-get "${options[@]}" update || skip "no list of packages"
    timeout 120 apt-get "${options[@]}" download libc6 libgcc-s1 || skip "no package"
    cd - > /dev/null
    for package in "$directory"/*.deb; do
        dpkg -x "$package" "$directory/root"
    done
fi
"$libraries/ld-linux-x86-64.so.2" --version | head -n 1
TEST_GLIBC=$libraries cargo test --quiet -p tracemalloc-rt --test heap
