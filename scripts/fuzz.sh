#!/usr/bin/env bash
# Fuzzes the library (docs/fuzzing.md). Needs cargo-fuzz: cargo install cargo-fuzz.
#
#   scripts/fuzz.sh                   a million inputs for every target, one after the other, and a table at the end
#   scripts/fuzz.sh run [TARGET...]   the same for these targets
#   scripts/fuzz.sh table             the table of the last runs
#
# FUZZ_RUNS says how many inputs, FUZZ_SECONDS after which time a target ends all the same, FUZZ_SANITIZER which
# sanitizer is compiled in: "none", which needs no nightly compiler, or "address", which needs one.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${FUZZ_RUNS:-1000000}
seconds=${FUZZ_SECONDS:-0}
sanitizer=${FUZZ_SANITIZER:-none}
host=$(rustc -vV | sed -n 's/^host: //p')
targets=(decode x509 group_info key_package welcome process_message forged_message forged_welcome arguments commit
    process_messages recover database transfer)

# Made once, so that a corpus goes on meaning what it meant: its messages are encrypted for these databases.
prepare() {
    # The dependencies of the library in the versions that ship; cargo adds libFuzzer.
    [ -f fuzz/Cargo.lock ] || cp Cargo.lock fuzz/Cargo.lock
    # For this processor, and SQLite without a count of its memory, which is a lock at each allocation.
    local cflags=${CFLAGS:-}
    [ "$(uname -m)" != x86_64 ] || cflags+=" -march=native"
    CFLAGS=$cflags LIBSQLITE3_FLAGS="-DSQLITE_DEFAULT_MEMSTATUS=0" \
        RUSTC_WRAPPER=$PWD/fuzz/rustc.sh cargo fuzz build --sanitizer "$sanitizer"
    mkdir -p fuzz/logs
    if [ ! -f fuzz/world/world ]; then
        MLS_FUZZ_WORLD=$PWD/fuzz/world MLS_FUZZ_CORPUS=$PWD/fuzz/corpus \
            "fuzz/target/$host/release/decode" -runs=0 2> fuzz/logs/world.log
    fi
}

run() {
    # Weighing inputs by how rare their branches are took a third of the time, and at times most of it.
    local target=$1 scratch limits=(-rss_limit_mb=2048 -timeout=30 -entropic=0)
    scratch=$(mktemp -d "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/mls-fuzz-XXXXXX")
    if [ "$sanitizer" = none ]; then
        # libFuzzer sees single large allocations only through a sanitizer; without one, they find no address.
        ulimit -v $((3 << 20))
    else
        limits+=(-malloc_limit_mb=256)
    fi
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    local status=0
    MLS_FUZZ_WORLD=$PWD/fuzz/world MLS_FUZZ_SCRATCH=$scratch \
        "fuzz/target/$host/release/$target" "fuzz/corpus/$target" -artifact_prefix="fuzz/artifacts/$target/" \
        -runs="$runs" -max_total_time="$seconds" -reload=0 -print_final_stats=1 "${limits[@]}" \
        > "fuzz/logs/$target.log" 2>&1 || status=$?
    rm -rf "$scratch"
    return "$status"
}

table() {
    echo "| target | executions | seconds | a second | coverage | corpus | peak memory | slowest input |"
    echo "|---|---|---|---|---|---|---|---|"
    for target in "${targets[@]}"; do
        [ ! -f "fuzz/logs/$target.log" ] || awk -v target="$target" '
            $2 == "DONE" { for (i = 3; i < NF; i++) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
            /^Done / { seconds = $5 }
            /^stat::number_of_executed_units/ { executions = $2 }
            /^stat::average_exec_per_sec/ { rate = $2 }
            /^stat::slowest_unit_time_sec/ { slowest = $2 }
            /^stat::peak_rss_mb/ { rss = $2 }
            /^SUMMARY|^==.*ERROR/ { failed = 1 }
            END {
                sub("/.*", "", corpus)
                printf "| %s | %s | %s | %s | %s | %s | %s MB | %s s |%s\n", target, executions, seconds, rate, cov, corpus,
                    rss, slowest, failed ? " FAILED" : executions == "" ? " runs" : ""
            }' "fuzz/logs/$target.log"
    done
}

command=${1:-run}
[ $# -eq 0 ] || shift
case $command in
    run)
        [ $# -gt 0 ] || set -- "${targets[@]}"
        prepare
        status=0
        for target in "$@"; do
            # In a process of its own, so that its limit is not the next one's.
            (run "$target") || { echo "fuzz.sh: $target failed: fuzz/logs/$target.log" >&2; status=1; }
        done
        table
        exit "$status"
        ;;
    table) table ;;
    *)
        sed -n '4,6s/^# *//p' "$0" >&2
        exit 2
        ;;
esac
