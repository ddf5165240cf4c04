#!/usr/bin/env bash
# Runs the tests of published crates under `cargo test` and under `cargo tracemalloc test`. Fails
# unless every target passes, fails and ignores the same number of tests in both, and every reported
# leak is explained below.
#
#     ci/real-crates.sh                    all crates
#     ci/real-crates.sh slab once_cell     those crates
#     ci/real-crates.sh --quick            the crates that take about two minutes together
#     ci/real-crates.sh --plain [CRATE]    only `cargo test`, to see if a selection passes at all
#     ci/real-crates.sh --unpack [CRATE]   only unpacks; prints name, directory and selection
#
# Works in REAL_CRATES_DIR, or in target/real-crates. Needs bash 5, cargo, and a network the first
# time.
set -euo pipefail

# Each crate: name, version, `quick` or `full`, and the selection of its tests. Two crates stand for
# all doctests, which run untraced. Left out: tests that take minutes under `cargo test`, and a test
# that fails for root (tokio's `try_exists`).
crates() {
    cat <<'END'
arc-swap          1.9.3    full   --lib --tests
bytes             1.12.1   full   --lib --tests
crossbeam-channel 0.5.17   full   --test golang --test iter --test mpsc --test never --test same_channel --test thread_locals
crossbeam-deque   0.8.8    full   --lib --tests
crossbeam-epoch   0.9.21   full   --lib
ctor              1.0.13   full   --lib --tests
dashmap           6.2.1    full   --lib
either            1.19.0   quick
hashbrown         0.17.1   full   --lib --tests --features rayon,serde
indexmap          2.14.2   full   --lib --tests
insta             1.49.0   full   --lib --tests --features csv,json,redactions,ron,toml,yaml
itertools         0.15.0   full   --lib --tests
libloading        0.9.1    full   --lib --tests
memchr            2.8.3    full   --lib
once_cell         1.21.4   full
petgraph          0.8.3    full   --lib --tests
rayon             1.12.0   full   --lib --tests
regex-automata    0.4.18   full   --lib
semver            1.0.28   quick  --lib --tests
serde_json        1.0.154  full   --lib --tests
sharded-slab      0.1.7    full   --lib
signal-hook-registry 1.4.8 full   --lib --tests
slab              0.4.12   quick
smallvec          1.16.5   quick  --lib --tests
tokio             1.54.1   full   --lib --tests --features full,test-util -- --skip try_exists
END
}

# True leaks, and growth that a rerun cannot tell from one: crate, target, test, reason.
explained() {
    cat <<'END'
crossbeam-channel golang chan1::main ten threads of every run wait for ever for a message
crossbeam-channel golang select7::main every run sends to another channel than the one that a thread waits at, for ever
crossbeam-channel golang sieve1::main the threads of the sieve, a chain of 26 in every run, never end
rayon sort-panic-safe sort_panic_safe every run nests one more panic hook in the last one: 16 bytes stay in std::panicking::HOOK
signal-hook-registry signal_hook_registry tests::forbidden_raw every run registers an action for a signal and never unregisters it
signal-hook-registry signal_hook_registry tests::save_restore_errno every run registers an action for a signal and never unregisters it
signal-hook-registry signal_hook_registry tests::signal_with_pid every run registers an action for a signal and never unregisters it
signal-hook-registry signal_hook_registry tests::signal_without_pid every run registers an action for a signal and never unregisters it
signal-hook-registry unregister_signal register_unregister every run registers an action for SIGINT and never unregisters it
tokio rt_common current_thread_scheduler::shutdown_timeout a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_common current_thread_scheduler::shutdown_timeout_0 a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_common threaded_scheduler_1_thread::shutdown_timeout a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_common threaded_scheduler_1_thread::shutdown_timeout_0 a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_common threaded_scheduler_4_threads::shutdown_timeout a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_common threaded_scheduler_4_threads::shutdown_timeout_0 a thread of every run sleeps for 10,000 s, and keeps its runtime
tokio rt_unstable_eager_driver_handoff deadlocks_consistently the runtime of every run is in a deadlock, as it should be
END
}

fail() {
    echo "real-crates: $*" >&2
    exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${REAL_CRATES_DIR:-$root/target/real-crates}
mkdir -p "$work/logs"
work=$(cd "$work" && pwd)

quick=false plain=false unpack=false wanted=()
for argument; do
    case $argument in
    --quick) quick=true ;;
    --plain) plain=true ;;
    --unpack) unpack=true ;;
    -*) fail "unknown option $argument" ;;
    *)
        crates | grep -q "^$argument " || fail "no crate called $argument is listed in this script"
        wanted+=("$argument")
        ;;
    esac
done

# Prints the rows of `crates` that the arguments select.
selected() {
    local name version set selection
    while read -r name version set selection; do
        if ((${#wanted[@]})); then
            [[ " ${wanted[*]} " == *" $name "* ]] || continue
        elif $quick && [[ $set != quick ]]; then
            continue
        fi
        echo "$name $version $selection"
    done < <(crates)
}

# Puts the sources of a crate into $work/src, with the registry's normalized manifest. The empty
# table keeps cargo from looking for a workspace above. Dependencies of tokio's tests depend on
# tokio; the patch makes them use this one.
unpack() { # name version
    local source=$work/src/$1-$2
    [[ -d $source ]] && return
    if [[ ! -d $work/vendor/$1-$2 ]]; then
        local throw_away=$work/throw-away
        mkdir -p "$throw_away/src"
        : >"$throw_away/src/lib.rs"
        {
            printf '[package]\nname = "throw-away"\nedition = "2021"\n[workspace]\n[dependencies]\n'
            local name version set selection
            while read -r name version set selection; do
                printf '%s = "=%s"\n' "$name" "$version"
            done < <(crates)
        } >"$throw_away/Cargo.toml"
        (cd "$throw_away" && cargo vendor --quiet --versioned-dirs "$work/vendor" >/dev/null)
    fi
    mkdir -p "$work/src"
    rm -rf "$source.part"
    cp -R "$work/vendor/$1-$2" "$source.part"
    rm -f "$source.part/.cargo-checksum.json" "$source.part/Cargo.toml.orig" "$source.part"/rust-toolchain*
    grep -q '^\[workspace\]' "$source.part/Cargo.toml" || printf '\n[workspace]\n' >>"$source.part/Cargo.toml"
    if [[ $1 == tokio ]]; then
        printf '\n[patch.crates-io]\ntokio = { path = "." }\n' >>"$source.part/Cargo.toml"
        # The lock file names another tokio.
        rm "$source.part/Cargo.lock"
    fi
    mv "$source.part" "$source"
}

# Prints the counts of each target, in order: passed, failed, ignored, filtered out.
counts() { # log
    local number='([0-9]+)'
    sed -nE "s/^test result: [A-Za-z]+\. $number passed; $number failed; $number ignored; [0-9]+ measured; $number filtered out.*/\1 \2 \3 \4/p" "$1"
}

# Prints the sum of the counts.
total() { # log
    local passed failed ignored rest passes=0 failures=0 ignores=0
    while read -r passed failed ignored rest; do
        passes=$((passes + passed)) failures=$((failures + failed)) ignores=$((ignores + ignored))
    done < <(counts "$1")
    echo "$passes passed, $failures failed, $ignores ignored"
}

# Runs a command in a crate's sources into a log, and leaves its exit code in `code` and its seconds
# in `seconds`.
timed() { # log directory command...
    local log=$1 directory=$2 start=${EPOCHREALTIME/[.,]/} end
    shift 2
    code=0
    (cd "$directory" && CARGO_TARGET_DIR=$work/target "$@") >"$log" 2>&1 </dev/null || code=$?
    end=${EPOCHREALTIME/[.,]/}
    seconds=$(((end - start) / 1000000)).$(((end - start) / 100000 % 10))
}

# Prints the leaks of a report that `explained` does not list.
unexplained() { # name report
    local name target test reason leak
    while read -r leak; do
        while read -r name target test reason; do
            [[ $name == "$1" && $leak == "leak $target $test "* ]] && continue 2
        done < <(explained)
        echo "$leak"
    done < <("$tool_dir/examples/verdicts" "$2" | grep '^leak ')
}

# Checks one crate: prints its line, and any problem below it.
check() { # name version selection...
    local name=$1 version=$2 log=$work/logs/$1 source=$work/src/$1-$2 problem='' note='' code seconds plain_seconds
    shift 2
    unpack "$name" "$version"
    timed "$log.build.log" "$source" cargo test --no-run "$@"
    timed "$log.plain.log" "$source" cargo test --no-fail-fast "$@"
    plain_seconds=$seconds
    if ((code)); then
        problem="cargo test itself fails, see $log.plain.log"
    elif ! $plain; then
        timed "$log.build.log" "$source" "$tool_dir/cargo-tracemalloc" tracemalloc test --no-run "$@"
        rm -f "$log.json"
        timed "$log.log" "$source" "$tool_dir/cargo-tracemalloc" tracemalloc test --no-fail-fast --report "$log.json" "$@"
        note=", under cargo tracemalloc test $seconds s"
        local leaks=''
        [[ -f $log.json ]] && leaks=$(unexplained "$name" "$log.json")
        if [[ ! -f $log.json ]]; then
            problem="no report was written (exit code $code), see $log.log"
        elif [[ $(counts "$log.plain.log") != "$(counts "$log.log")" ]]; then
            problem="other counts under cargo tracemalloc test: $(total "$log.log"), see $log.log"
        elif [[ -n $leaks ]]; then
            problem=$leaks
        elif ((code)) && ! "$tool_dir/examples/verdicts" "$log.json" | grep -q '^leak '; then
            problem="exit code $code without a leak, see $log.log"
        fi
    fi
    printf '%-4s %-24s %s: cargo test %s s%s\n' "$([[ -n $problem ]] && echo FAIL || echo ok)" "$name $version" \
        "$(total "$log.plain.log")" "$plain_seconds" "$note"
    [[ -z $problem ]] || { sed 's/^/     /' <<<"$problem" && return 1; }
}

if $unpack; then
    while read -r name version selection; do
        unpack "$name" "$version"
        echo "$name $work/src/$name-$version $selection"
    done < <(selected)
    exit
fi

# Your own settings must not change the results.
unset RUST_BACKTRACE RUST_TEST_THREADS RUSTFLAGS

if ! $plain; then
    target=${CARGO_TARGET_DIR:-$root/target}
    [[ $target == /* ]] || target=$PWD/$target
    (cd "$root" && CARGO_TARGET_DIR=$target cargo build --quiet -p cargo-tracemalloc --bins --example verdicts)
    tool_dir=$target/debug
fi

passed=0 failed=0
while read -r name version selection; do
    # shellcheck disable=SC2086 # A selection is several words.
    if check "$name" "$version" $selection; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done < <(selected)
echo "$passed passed, $failed failed"
((failed == 0))
