#!/usr/bin/env bash
# What the tests need beside Rust, git and a C compiler. Only what is missing is installed.
set -euo pipefail

if ! command -v cargo-nextest > /dev/null; then
    cargo install --locked cargo-nextest
fi
