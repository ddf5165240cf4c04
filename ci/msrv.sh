#!/usr/bin/env bash
# Builds the workspace with the oldest compiler that Cargo.toml promises.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

promised=$(sed -nE 's/^rust-version = "([0-9.]+)"$/\1/p' Cargo.toml)
if [[ $(rustc --version) == "rustc $promised."* ]]; then
    cargo check --workspace --all-features
else
    rustup toolchain install "$promised" --profile minimal
    cargo "+$promised" check --workspace --all-features
fi
