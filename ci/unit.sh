#!/usr/bin/env bash
# Unit tests of the workspace, and the end-to-end tests in tests/. Arguments go to cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo test --workspace --all-targets "$@"
