#!/usr/bin/env bash
# Measures an HTTP server under `cargo tracemalloc run` beside the same server untraced: the latency
# of 1,000 requests a second. Each request leaks 100 bytes. Fails unless `diff` of two snapshots
# names the leak's holder and line first.
#
#     ci/service.sh            a minute each
#     ci/service.sh --short    three seconds each
#
# The latencies are worth something on a machine that has nothing else to do.
set -euo pipefail
# Background jobs of a script without job control ignore Ctrl-C.
set -m
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=60
[[ ${1:-} != --short ]] || seconds=3
rate=1000
dir=$(realpath "${CARGO_TARGET_DIR:-target}")/service
command=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/cargo-tracemalloc
unset CARGO_TARGET_DIR RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

cargo build --quiet -p cargo-tracemalloc
mkdir -p "$dir"
cp -r tests/fixtures/service/. "$dir"
rustc -O -o "$dir/service-load" ci/service-load.rs
cd "$dir"
rm -f service-*.json

start() { # COMMAND...: sets server, process and address
    : >out
    "$@" >out 2>err &
    server=$!
    until grep -q listens out; do
        kill -0 "$server" || { cat err >&2 && exit 1; }
        sleep 0.1
    done
    read -r _ process _ _ address <out
}

stop() {
    kill -INT "$process"
    wait "$server" || true
}

snapshot() { # NUMBER: waits until there are so many
    kill -USR1 "$process"
    until [[ $(compgen -G 'service-*Z-signal.json' | wc -l) == "$1" ]]; do sleep 0.1; done
}

cargo build --quiet --release
start target/release/service
echo "untraced: $(./service-load "$address" "$rate" "$seconds")"
stop

start "$command" tracemalloc run --release --snapshot service.json --snapshot-on USR1
./service-load "$address" "$rate" 1 >warm-up
snapshot 1
echo "traced:   $(./service-load "$address" "$rate" "$seconds")"
snapshot 2
stop

mapfile -t snapshots < <(compgen -G 'service-*Z-signal.json' | sort)
"$command" tracemalloc diff "${snapshots[@]}" --limit 2 >diff
cat diff
line=$(grep -n 'leak: 100 B a request' src/main.rs | cut -d: -f1)
first() { # HEADING: the first row below it
    grep -A1 -F "$1" diff | tail -n1
}
expect() { # HEADING PATTERN
    # shellcheck disable=SC2053
    [[ $(first "$1") == $2 ]] && return
    echo "service: the first row below \`$1\` is not the leak" >&2
    exit 1
}
expect 'holders ]' "service::VISITS*src/main.rs:$line*"
expect 'differences ]' "src/main.rs:$line: *"
