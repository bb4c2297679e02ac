#!/usr/bin/env bash
# Runs the tests and installs what they need. ./test.sh [PART...]: the parts are "rust"; without one, all run.
set -euo pipefail
cd "$(dirname "$0")"

passed=0 failed=0 skipped=0

# The closing line is printed whatever happens, so that a failed run says how far it came.
finish() {
    status=$?
    if [ $status -ne 0 ] && [ $failed -eq 0 ]; then failed=1; fi
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $status
}

say() { printf '\n== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian's and Ubuntu's names; elsewhere the reader is told what is missing.
need() {
    command -v "$1" > /dev/null && return
    if ! command -v apt-get > /dev/null || { [ "$(id -u)" -ne 0 ] && ! command -v sudo > /dev/null; }; then
        echo "test.sh: please install $1 (Debian: $2)" >&2
        exit 1
    fi
    say "installing $2"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" > /dev/null
}

# Runs cargo's tests, shows their output, and adds up the lines "test result: ok. 3 passed; 0 failed; 1 ignored".
count_tests() {
    local output status=0 sums
    output=$(mktemp)
    "$@" 2>&1 | tee "$output" | grep -vE '^(test .* ok|running [0-9]+ tests?|)$' || status=${PIPESTATUS[0]}
    sums=$(awk '/^test result:/ { p += $4; f += $6; i += $8 } /^skipped: / { s++ }
        END { print p + 0, f + 0, i + s + 0 }' "$output")
    rm -f "$output"
    read -r p f s <<< "$sums"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    return "$status"
}

rust() {
    need cc build-essential # for the SQLite inside the library
    need python3 python3
    command -v cargo > /dev/null || { echo "test.sh: please install Rust (https://rustup.rs)" >&2; exit 1; }
    export CARGO_TERM_PROGRESS_WHEN=never

    say "format"
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check
    # All features everywhere: two sets of features would compile every dependency twice.
    say "lints"
    cargo clippy --quiet --workspace --all-targets --all-features --locked -- -D warnings
    say "tests"
    count_tests cargo test --quiet --workspace --all-features --locked --no-fail-fast --lib --bins --tests
    say "examples in the documentation"
    count_tests cargo test --quiet --workspace --all-features --locked --doc
    say "documentation"
    # With the examples: cargo then takes the dependencies with the features that the lints have checked them with.
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --all-features --locked --lib --bins --examples
    say "the example"
    cargo run --quiet --release --locked --example chat
    say "dependencies"
    if command -v cargo-deny > /dev/null; then
        cargo deny --log-level error check
    else
        # Installing it takes longer than all the tests, so it is left to who wants it.
        echo "cargo-deny is not installed: licences and advisories were NOT checked (cargo install cargo-deny)"
        skipped=$((skipped + 1))
    fi
}

[ $# -gt 0 ] || set -- rust
for part in "$@"; do
    case $part in
        rust) ;;
        *)
            echo "test.sh: unknown part \"$part\"; there is: rust" >&2
            exit 2
            ;;
    esac
done

trap finish EXIT
for part in "$@"; do "$part"; done
say "done"
