#!/usr/bin/env bash
# Generates the bindings from an unstripped debug build of the library, which carries their description.
#
#   scripts/bindings.sh               Swift and Kotlin into bindings/, to be committed
#   scripts/bindings.sh swift DIR     one language into DIR (swift, kotlin or python);
#   scripts/bindings.sh python DIR    Python gets the library beside it, ready for import
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=${CARGO:-cargo}
target=${CARGO_TARGET_DIR:-target}

usage() {
    sed -n '4,6s/^# *//p' "$0" >&2
    exit 2
}

build() {
    # One build for both, so that the dependencies are compiled once: the feature "bindgen" changes nothing in the
    # library itself. "fault-injection" and "test-vectors" would. The example makes cargo take them with the features that the tests have
    # them compiled with already.
    "$cargo" build --quiet --locked --features bindgen --lib --bin uniffi-bindgen --example chat
    library=
    for name in libmls_mobile.so libmls_mobile.dylib mls_mobile.dll; do
        if [ -f "$target/debug/$name" ]; then library=$target/debug/$name; fi
    done
    [ -n "$library" ] || { echo "bindings.sh: no library in $target/debug" >&2; exit 1; }
}

# The generator reads uniffi.toml of the crate that it finds in the library. No formatter: the result must not depend
# on what is installed.
generate() {
    "$target/debug/uniffi-bindgen" generate --library "$library" --language "$1" --out-dir "$2" --no-format
}

case $# in
    0)
        build
        for language in swift kotlin; do
            rm -rf "bindings/$language"
            generate "$language" "bindings/$language"
        done
        ;;
    2)
        case $1 in swift | kotlin | python) ;; *) usage ;; esac
        mkdir -p "$2"
        build
        generate "$1" "$2"
        if [ "$1" = python ]; then cp "$library" "$2/"; fi
        ;;
    *) usage ;;
esac
