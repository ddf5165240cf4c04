#!/usr/bin/env bash
# Installs cargo-nextest if it is missing, which takes minutes. The tests need it.
set -euo pipefail

if ! command -v cargo-nextest > /dev/null; then
    cargo install --locked cargo-nextest
fi
