#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: cargo-nextest, which takes minutes, and
# packages of the system where apt-get and its rights are there. A test without its program says
# that it is skipped; under CI it fails.
set -euo pipefail

if ! command -v cargo-nextest > /dev/null; then
    cargo install --locked cargo-nextest
fi

missing=()
command -v chromium > /dev/null || missing+=(chromium)
command -v tmux > /dev/null || missing+=(tmux)
command -v xmllint > /dev/null || missing+=(libxml2-utils)
if ((${#missing[@]})) && command -v apt-get > /dev/null && [[ $EUID == 0 ]]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -yqq "${missing[@]}" > /dev/null
fi
