#!/usr/bin/env bash
# Installs the command and runs README's commands in a system that has nothing but a C compiler and
# what rustup's profile `minimal` brings. So nothing that a developer's machine has can be missing
# on a user's.
#
#     sudo ci/chroot.sh
#
# Makes a small Debian or Ubuntu in target/chroot with debootstrap, once, and copies the active
# toolchain and the committed sources there. All else is downloaded as by a new user. Takes some
# ten minutes on two cores and 4 GB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export RUSTUP_AUTO_INSTALL=0

fail() {
    echo "chroot: $*" >&2
    exit 2
}

[[ $(uname -s) == Linux ]] || fail 'works on Linux alone'
((EUID == 0)) || fail 'needs root, to change the root directory: sudo ci/chroot.sh'
for program in debootstrap git unshare; do
    command -v "$program" >/dev/null || fail "needs $program: apt-get install $program"
done
# Mounts end with this process.
[[ ${1:-} == --unshared ]] || exec unshare --mount --propagation private "$0" --unshared

root=$(realpath -m "${CARGO_TARGET_DIR:-target}")/chroot
if [[ ! -f $root/complete ]]; then
    rm -rf "$root"
    mkdir -p "$root"
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev "$suite" "$root" >/dev/null
    touch "$root/complete"
fi
rm -rf "${root:?}"/{root,opt/rust,checkout}
mkdir -p "$root"/{root,opt/rust,checkout}

# The files of the components that the profile `minimal` has.
sysroot=$(rustc --print sysroot)
for component in cargo rust-std rustc; do
    sed -nE 's/^(file|dir)://p' "$sysroot/lib/rustlib/manifest-$component"-*
done | tar -C "$sysroot" -cf - -T - | tar -C "$root/opt/rust" -xf -
git archive HEAD | tar -C "$root/checkout" -xf -

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
# A company's network may have certificates of its own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# Runs a command in the chroot, as a new user would in a checkout.
inside() {
    echo "+ $*"
    chroot "$root" env -i HOME=/root PATH=/root/.cargo/bin:/opt/rust/bin:/usr/bin:/bin \
        LANG=C.UTF-8 CARGO_TARGET_DIR=/checkout/target bash -c "cd /checkout && $*"
}

# Runs a command that has to find the demo's leak.
leaks() {
    local status=0
    inside "$@" || status=$?
    ((status == 102)) || fail "exit code $status in place of 102"
}

inside 'for tool in git clippy-driver rustfmt rustup cmake pkg-config python3; do ! command -v $tool || exit 1; done'
inside ci/package.sh --install
leaks cargo run --quiet -- test --manifest-path tests/fixtures/demo/Cargo.toml
inside cargo install --quiet --locked --path cargo-tracemalloc
leaks 'cd tests/fixtures/demo && unset CARGO_TARGET_DIR && cargo tracemalloc test'
echo 'chroot: installed from the crates and from the checkout, and the demo leaks as README says'
