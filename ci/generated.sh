#!/usr/bin/env bash
# Runs `cargo tracemalloc test` on random tests with known truth. Prints recall and precision,
# overall and by kind, and every wrong verdict. Fails on any mistake. tests/generated/README.md
# describes the tests.
#
#     ci/generated.sh                           100 tests of seed 1
#     ci/generated.sh --seeds 10 --tests 400    400 tests of each of the seeds 1 to 10
#     ci/generated.sh --first 7                 tests of seed 7
#     ci/generated.sh --release                 the tests are optimised
#     ci/generated.sh --only memo,pages         these kinds or families alone
#     ci/generated.sh --without memo,pages      all but these
#     ci/generated.sh --truth                   no tracer: counts live memory, to check the truth
#
# Works in GENERATED_DIR, or in target/generated. Workspaces, logs and reports stay there until the
# next run.
set -euo pipefail

fail() {
    echo "generated: $*" >&2
    exit 2
}

seeds=1 first=1 tests=100 truth=false profile=() choice=()
while (($#)); do
    case $1 in
    --release) profile=(--release) ;;
    --truth) truth=true ;;
    --seeds | --first | --tests | --only | --without)
        (($# > 1)) || fail "$1 needs a value"
        case $1 in
        --only | --without) choice+=("$1" "$2") ;;
        *) [[ $2 =~ ^[1-9][0-9]*$ ]] || fail "$1 needs a number above 0, found $2" ;;&
        --seeds) seeds=$2 ;;
        --first) first=$2 ;;
        --tests) tests=$2 ;;
        esac
        shift
        ;;
    *) fail "unknown option $1" ;;
    esac
    shift
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
[[ $target == /* ]] || target=$PWD/$target
work=${GENERATED_DIR:-$target/generated}
mkdir -p "$work"
work=$(cd "$work" && pwd)

# A person's settings are not what is measured here.
unset RUST_BACKTRACE RUST_TEST_THREADS RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

cargo build --quiet --manifest-path "$root/tests/generated/Cargo.toml" --target-dir "$work/generator"
generator=$work/generator/debug/generated
$truth || (cd "$root" && CARGO_TARGET_DIR=$target cargo build --quiet -p cargo-tracemalloc --bins)
command=$target/debug/cargo-tracemalloc
export CARGO_TARGET_DIR=$work/target

wrong=0 workspaces=()
for ((seed = first; seed < first + seeds; seed++)); do
    workspace=seed-$seed${profile:+-release}
    log=$work/$workspace.log start=$SECONDS code=0
    "$generator" write "$seed" "$tests" "$work/$workspace" ${choice[@]+"${choice[@]}"}
    cd "$work/$workspace"
    if $truth; then
        cargo run --quiet "${profile[@]}" --package truth </dev/null || wrong=1
        continue
    fi
    "$command" tracemalloc test "${profile[@]}" --no-fail-fast --report report.json >"$log" 2>&1 </dev/null || code=$?
    [[ -f report.json ]] || fail "seed $seed gave no report (exit code $code), see $log"
    echo "seed $seed: $tests tests in $((SECONDS - start)) s with the build, exit code $code, see $log"
    workspaces+=("$workspace")
done

$truth && exit $wrong
cd "$work"
"$generator" compare "${workspaces[@]}"
