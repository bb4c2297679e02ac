#!/usr/bin/env bash
# Times the same calls from Rust, Swift and Kotlin, which take turns over one build of the library, and writes the tables
# of docs/performance.md.
#
#   scripts/ffi-cost.sh [ROUNDS]   default 5; a round takes two minutes, and the builds before it ten
#   scripts/ffi-cost.sh report     only writes what the last run has left in target/ffi-cost/results.tsv
#
# The databases are in memory where the system has such a folder, because an fsync takes longer than what is measured.
set -euo pipefail
cd "$(dirname "$0")/.."

results=target/ffi-cost/results.tsv

case ${1:-5} in
    report) exec cargo bench --quiet --locked --bench ffi_cost -- report "$results" ;;
    *[!0-9]*) sed -n '5,6s/^# *//p' "$0" >&2; exit 2 ;;
esac
command -v mvn > /dev/null || { echo "ffi-cost.sh: please run ./test.sh kotlin, which installs what Kotlin needs" >&2; exit 1; }

# The profile of benches is the release's, and quicker to link.
cargo build --quiet --locked --profile bench --lib --bench ffi_cost
library=$(realpath "${CARGO_TARGET_DIR:-target}")/release
export MLS_MOBILE_LIBRARY_DIR=$library
scripts/swift.sh swift build --quiet -c release --package-path platforms/apple/benches --scratch-path target/swift-benches
mvn --batch-mode --no-transfer-progress --quiet -f platforms/android/pom.xml -P benches -pl benches -am -DskipTests package

memory=/dev/shm
[ -d "$memory" ] || memory=${TMPDIR:-/tmp}
fixture=$(mktemp -d "$memory/ffi-cost.XXXXXX")
trap 'rm -rf "$fixture"' EXIT
mkdir -p target/ffi-cost

# Where it lies is cargo's secret; `cargo bench` finds it, and has nothing to build.
rust() { cargo bench --quiet --locked --bench ffi_cost -- "$@"; }
swift() { scripts/swift.sh target/swift-benches/release/ffi-cost "$fixture"; }
kotlin() {
    local benches=platforms/android/benches/target
    java -cp "$benches/mls-mobile-benches-0.1.0.jar:$benches/dependencies/*" org.mlsmobile.benches.MainKt \
        "$fixture" "$library" target/ffi-cost/jmh.log
}

rust prepare "$fixture"
: > "$results.new"
for round in $(seq "${1:-5}"); do
    for contestant in "rust run $fixture" swift kotlin; do
        $contestant | sed "s/^/$round\t/" >> "$results.new"
    done
done
mv "$results.new" "$results"
rust report "$results"
