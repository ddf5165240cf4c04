#!/usr/bin/env bash
# Unit tests of the workspace, and the end-to-end tests in tests/.
#
#     ci/unit.sh                    all of them
#     ci/unit.sh --test planted     arguments go to cargo
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test --workspace --all-targets "$@"
if (($# == 0)); then
    # Separately, because the command of this workspace uses the harness without this feature.
    cargo test --package tracemalloc-harness --features harness
    # A workspace of its own.
    cargo test --locked --manifest-path tests/generated/Cargo.toml \
        --target-dir "${CARGO_TARGET_DIR:-target}/generated/generator"
fi
