#!/usr/bin/env bash
# Builds the archive of a release for one target: the program, its completions and manual pages, and
# the licences.
#
#     ci/release.sh x86_64-unknown-linux-musl
#
# The archive is target/release-archives/cargo-tracemalloc-TARGET.tar.gz, where `cargo binstall`
# looks for it. The target's standard library must be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:?usage: ci/release.sh TARGET}
target_dir=${CARGO_TARGET_DIR:-target}
name=cargo-tracemalloc-$target
out=$target_dir/release-archives

cargo build --release --locked --package cargo-tracemalloc --target "$target"
rm -rf "${out:?}/$name"
mkdir -p "$out/$name"
program=$target_dir/$target/release/cargo-tracemalloc
[[ $target != *-windows-* ]] || program=$program.exe
cp "$program" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$out/$name/"
# Another machine's program cannot run here.
if [[ $target != "$(rustc -vV | sed -n 's/^host: //p')" ]]; then
    cargo build --release --locked --package cargo-tracemalloc
    program=$target_dir/release/cargo-tracemalloc
fi
mkdir "$out/$name/completions"
for shell in bash zsh fish powershell elvish; do
    "$program" completions "$shell" >"$out/$name/completions/cargo-tracemalloc.$shell"
done
"$program" man "$out/$name/man"
tar -czf "$out/$name.tar.gz" -C "$out" "$name"
echo "$out/$name.tar.gz"
