#!/usr/bin/env bash
# Judges the planted leaks again and again, on 1, 2, 8 and as many threads as there are: every verdict has to be the
# same every time. The argument is the number of rounds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PLANTED_ROUNDS=${1:-10} cargo test -p cargo-tracemalloc --test planted
