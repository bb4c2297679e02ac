#!/usr/bin/env bash
# Runs the tests and installs what they need. ./test.sh [PART...]: the parts are "rust", "swift", "kotlin" and "service";
# without one, all run.
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

# Runs cargo's tests, shows their output, and adds up the lines "test result: ok. 3 passed; 0 failed; 1 ignored". A test
# that says "skipped: why" has passed for cargo and not for us; the dots of tests before it may stand in its line.
count_tests() {
    local output status=0 sums
    output=$(mktemp)
    "$@" 2>&1 | tee "$output" | grep -vE '^(test .* ok|running [0-9]+ tests?|)$' || status=${PIPESTATUS[0]}
    sums=$(awk '/^test result:/ { p += $4; f += $6; i += $8 } /^[.iF]*skipped: / { s++ }
        END { print p - s, f + 0, i + s + 0 }' "$output")
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
    # As the README says it: through the delivery service, which the tests above have built, and without it.
    say "the example"
    cargo run --quiet --locked --example chat
    cargo run --quiet --locked --example chat -- --no-service > /dev/null
    say "dependencies"
    if command -v cargo-deny > /dev/null; then
        cargo deny --log-level error check
    else
        # Installing it takes longer than all the tests, so it is left to who wants it.
        echo "cargo-deny is not installed: licences and advisories were NOT checked (cargo install cargo-deny)"
        skipped=$((skipped + 1))
    fi
}

# The library as the bindings are made from it, and the programs of its tests in Rust. The features are those of
# scripts/bindings.sh, so that both compile it once.
library() {
    cargo build --quiet --locked -p mls-mobile -p mls-delivery-client --features mls-mobile/bindgen \
        --lib --bin uniffi-bindgen --example chat --example phone
}

# Where the delivery service is that the phones talk to, or nothing. The parts "rust" and "service" build it, in the same run or
# before; here it is only brought up to date.
delivery_service() {
    local service=$PWD/delivery-service/target/debug/mls-delivery-service
    [ -x "$service" ] || return 0
    cargo build --quiet --locked --manifest-path delivery-service/Cargo.toml --target-dir delivery-service/target \
        --bin mls-delivery-service --test openapi
    echo "$service"
}

# The Swift package, over the library that this builds. What is not a test in Swift counts as one each.
swift() {
    need cc build-essential
    need python3 python3
    need zip zip
    need unzip unzip
    say "Swift: the toolchain, and the library as the bindings are made from it"
    scripts/swift.sh swift --version
    library
    MLS_DELIVERY_SERVICE=$(delivery_service)
    MLS_RUST_PHONE=$(realpath "${CARGO_TARGET_DIR:-target}/debug/examples/phone")
    export MLS_DELIVERY_SERVICE MLS_RUST_PHONE
    [ -n "$MLS_DELIVERY_SERVICE" ] || echo "skipped: what needs the delivery service, which ./test.sh service builds"
    say "Swift: tests"
    count_swift_tests
    say "Swift: format, what only Apple's systems compile, privacy, the XCFramework's shape, an empty package that adds this one, benches"
    scripts/swift.sh swift format lint --strict --recursive Package.swift platforms/apple
    scripts/swift.sh platforms/apple/check-apple.sh
    scripts/swift.sh platforms/apple/check-privacy.sh target/debug/libmls_mobile.a
    platforms/apple/check-xcframework.sh target/debug/libmls_mobile.a
    scripts/swift.sh platforms/apple/check-consumer.sh
    # The benches are a package of their own, which would compile everything again.
    scripts/swift.sh swiftc -typecheck -swift-version 6 -I target/swift/debug/Modules \
        -I platforms/apple/Sources/MlsMobileFFIC platforms/apple/benches/Sources/ffi-cost/*.swift
    passed=$((passed + 6))
}

# Adds up "✔ Test S01_name() passed after 0.1 seconds."; shows what is neither progress nor success. A test that hangs
# ends the run after five minutes; what had begun by then and had not ended counts as failed.
count_swift_tests() {
    local output status=0 hanging
    scripts/swift.sh swift build --build-tests --scratch-path target/swift | grep -vE "^\[[0-9]+/" || return 1
    output=$(mktemp)
    local limit=()
    if command -v timeout > /dev/null; then limit=(timeout --kill-after=10 300); fi
    "${limit[@]}" scripts/swift.sh swift test --skip-build --scratch-path target/swift > "$output" 2>&1 || status=$?
    grep -vE '^(\[[0-9]+/|Test Suite|[[:space:]]|◇|✔ Suite|✔ Test .*\)|$)' "$output" || true
    passed=$((passed + $(grep -cE '^✔ Test \w+\(.* passed after' "$output" || true)))
    failed=$((failed + $(grep -cE '^✘ Test \w+\(.* failed after' "$output" || true)))
    skipped=$((skipped + $(grep -cE '^(➜|✘) Test \w+\(.* skipped' "$output" || true)))
    hanging=$(comm -23 <(sed -nE 's/^◇ Test (\w+)\(.* started\.$/\1/p' "$output" | sort -u) \
        <(sed -nE 's/^. Test (\w+)\(.* (passed|failed) after .*/\1/p' "$output" | sort -u))
    rm -f "$output"
    if [ -n "$hanging" ]; then
        echo "did not end:" $hanging
        failed=$((failed + $(wc -l <<< "$hanging")))
    fi
    return "$status"
}

# Adds up what JUnit has left in the reports of the projects in these folders.
count_reports() {
    local sums
    sums=$(find "$@" -path '*/surefire-reports/TEST-*.xml' -exec grep -h '<testsuite ' {} + |
        awk '{ if (match($0, / tests="[0-9]+"/)) t += substr($0, RSTART + 8, RLENGTH - 9)
               if (match($0, / errors="[0-9]+"/)) f += substr($0, RSTART + 9, RLENGTH - 10)
               if (match($0, / failures="[0-9]+"/)) f += substr($0, RSTART + 11, RLENGTH - 12)
               if (match($0, / skipped="[0-9]+"/)) s += substr($0, RSTART + 10, RLENGTH - 11) }
             END { print t - f - s, f + 0, s + 0 }')
    read -r p f s <<< "$sums"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

kotlin() {
    need cc build-essential
    need javac openjdk-17-jdk-headless
    need mvn maven
    command -v cargo > /dev/null || { echo "test.sh: please install Rust (https://rustup.rs)" >&2; exit 1; }
    local android=platforms/android libraries=target/kotlin status=0
    local built=${CARGO_TARGET_DIR:-target}/debug

    say "the library"
    library
    rm -rf "$libraries" && find $android -path '*/target/surefire-reports' -prune -exec rm -rf {} +
    mkdir -p "$libraries"
    # It is packed several times.
    strip -o "$libraries/libmls_mobile.so" "$built/libmls_mobile.so"

    say "Kotlin"
    # The part "swift" builds them, in the same run or before.
    local device=$PWD/target/swift/debug/device phone=$PWD/target/swift/debug/phone service
    [ -x "$device" ] || { device='' && echo "skipped: Kotlin and Swift, S80, because there is no $PWD/target/swift/debug/device"; }
    [ -x "$phone" ] || { phone='' && echo "skipped: Kotlin, Swift and Rust, S109, because there is no $PWD/target/swift/debug/phone"; }
    service=$(delivery_service)
    [ -n "$service" ] || echo "skipped: what needs the delivery service, which ./test.sh service builds"
    # The archive's shape is looked at here; what is in an Android library is for the machine that has the NDK.
    # The benches are only compiled.
    $android/build.sh --stand-in "$libraries/libmls_mobile.so" --quiet -P benches -Dmls.swift.device="$device" \
        -Dmls.delivery.service="$service" -Dmls.swift.phone="$phone" \
        -Dmls.rust.phone="$(realpath "$built/examples/phone")" || status=$?
    count_reports $android/jvm $android/aar $android/delivery
    [ "$status" -eq 0 ] || return "$status"

    say "projects that use the artifacts"
    local maven=(mvn --batch-mode --no-transfer-progress --quiet)
    "${maven[@]}" -f $android/consumers/jvm/pom.xml test || status=$?
    # The archive is unpacked first: see the POMs.
    for project in android shrunk; do
        "${maven[@]}" -f "$android/consumers/$project/pom.xml" dependency:copy@aar
        rm -rf "$android/consumers/$project/target/aar"
        mkdir "$android/consumers/$project/target/aar"
        (cd "$android/consumers/$project/target/aar" && jar xf ../mls-mobile-android.aar)
        "${maven[@]}" -f "$android/consumers/$project/pom.xml" package || status=$?
    done
    count_reports $android/consumers
    return "$status"
}

# The delivery service, a workspace of its own, and on a real PostgreSQL. Where that cannot be installed its tests are skipped.
service() {
    need cc build-essential
    need ps procps
    command -v cargo > /dev/null || { echo "test.sh: please install Rust (https://rustup.rs)" >&2; exit 1; }
    command -v pg_lsclusters > /dev/null || (need pg_lsclusters postgresql) || true
    local manifest=delivery-service/Cargo.toml

    say "service: format and lints"
    cargo fmt --manifest-path $manifest --check
    cargo clippy --quiet --manifest-path $manifest --all-targets --locked -- -D warnings
    say "service: tests"
    SCHEMATHESIS=$(delivery-service/scripts/schemathesis.sh || true)
    export SCHEMATHESIS
    count_tests cargo test --quiet --manifest-path $manifest --locked --no-fail-fast
    if command -v cargo-deny > /dev/null; then
        cargo deny --log-level error --manifest-path $manifest check --config "$PWD/deny.toml"
    fi
}

[ $# -gt 0 ] || set -- rust swift kotlin service
for part in "$@"; do
    case $part in
        rust | swift | kotlin | service) ;;
        *)
            echo "test.sh: unknown part \"$part\"; there are: rust, swift, kotlin, service" >&2
            exit 2
            ;;
    esac
done

trap finish EXIT
for part in "$@"; do "$part"; done
say "done"
