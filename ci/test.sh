#!/usr/bin/env bash
# All that has to pass before a change goes in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./tools.sh
./lint.sh
./msrv.sh
./docs.sh
./unit.sh
./real-crates.sh --quick
