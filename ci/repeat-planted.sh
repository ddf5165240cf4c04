#!/usr/bin/env bash
# Judges the planted leaks in many rounds, on 1, 2, 8 and as many threads as there are processors.
# Every verdict has to be the same every time.
#
#     ci/repeat-planted.sh [ROUNDS]    10 rounds by default
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PLANTED_ROUNDS=${1:-10} cargo test -p cargo-tracemalloc --test planted
