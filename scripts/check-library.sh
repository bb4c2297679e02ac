#!/usr/bin/env bash
# Checks libraries before they are packed: what they show to an app's linker, what they ask of the phone, their size.
#
#   scripts/check-library.sh [--symbols] FILE...     shared (ELF .so) and static (.a, ELF or Mach-O) libraries
#
# --symbols   only what it shows: for a library that no phone gets, such as one for the machine that tests
#
# Needs nm and readelf of binutils or of LLVM; NM and READELF name others.
set -euo pipefail

nm=${NM:-$(command -v llvm-nm || command -v nm)}
readelf=${READELF:-$(command -v llvm-readelf || command -v readelf || true)}

# More than this is a mistake: debug information, a missing LTO, a second cryptography.
most_bytes=$((16 << 20))
failures=0

fail() {
    echo "  WRONG: $*" >&2
    failures=$((failures + 1))
}

# Names of global symbols that the file defines; Mach-O puts an underscore in front.
defined() { "$nm" "$@" --defined-only 2> /dev/null | awk 'NF >= 3 && $(NF - 1) ~ /^[A-TV-Z]$/ { print $NF }' | sort -u; }

check_symbols() {
    local names=$1 sqlite
    grep -qE '^_?uniffi_mls_mobile_fn_' <<< "$names" || fail "the bindings' functions are missing"
    sqlite=$(grep -E '^_?sqlite3' <<< "$names" | head -3 | tr '\n' ' ' || true)
    [ -z "$sqlite" ] || fail "symbols of SQLite are global, an app's own SQLite would collide: $sqlite"
}

check_exports() {
    local names foreign
    names=$(defined -D "$1")
    check_symbols "$names"
    foreign=$(grep -vE '^(uniffi_|ffi_|UNIFFI_META_)' <<< "$names" | head -3 | tr '\n' ' ' || true)
    [ -z "$foreign" ] || fail "exports more than the bindings call: $foreign"
}

check_for_phones() {
    local file=$1 bytes=$2 alignment needed
    [ "$bytes" -le $most_bytes ] || fail "larger than $most_bytes bytes"
    # Phones with pages of 16 KiB load nothing that is aligned to less.
    while read -r alignment; do
        [ $((alignment)) -ge $((0x4000)) ] || fail "a segment is aligned to $alignment, not to 0x4000"
    done < <("$readelf" -lW "$file" | awk '$1 == "LOAD" { print $NF }')
    needed=$("$readelf" -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
    echo "  needs: $needed"
    if "$readelf" -SW "$file" | grep -q '\.debug_info'; then fail "carries debug information"; fi
}

check_static() { check_symbols "$(defined --extern-only "$1")"; }

all=yes
if [ "${1:-}" = --symbols ]; then
    all=
    shift
fi
[ $# -gt 0 ] || { sed -n '4,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
for file in "$@"; do
    bytes=$(wc -c < "$file")
    echo "$file: $bytes bytes"
    case $file in
        *.so)
            check_exports "$file"
            [ -z "$all" ] || check_for_phones "$file" "$bytes"
            ;;
        *.a) check_static "$file" ;;
        *) fail "neither .so nor .a" ;;
    esac
done
[ $failures -eq 0 ] || exit 1
