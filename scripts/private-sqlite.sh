#!/usr/bin/env bash
# Gives SQLite inside a static library names of its own, so that an app may link another SQLite beside it: every global
# sqlite3_… becomes mls_mobile_sqlite3_…, where it is defined and where it is called (docs/adr/0026).
#
#   scripts/private-sqlite.sh LIBRARY.a OUTPUT.a
#
# Works for ELF and Mach-O. Needs llvm-objcopy or Rust's own rust-objcopy; OBJCOPY and NM name others.
set -euo pipefail

[ $# -eq 2 ] || { sed -n '5,7s/^# *//p' "$0" >&2; exit 2; }
library=$1 output=$2

tool() {
    local name
    for name in "$@"; do
        if command -v "$name" > /dev/null; then
            command -v "$name"
            return
        fi
    done
    # The Rust toolchain brings one for its own use.
    find "$(rustc --print sysroot)/lib/rustlib" -path "*/bin/${!#}" | head -1
}
objcopy=${OBJCOPY:-$(tool llvm-objcopy rust-objcopy)}
nm=${NM:-$(tool llvm-nm nm)}
[ -n "$objcopy" ] || { echo "private-sqlite.sh: please install llvm (rustup component add llvm-tools)" >&2; exit 1; }

map=$(mktemp)
trap 'rm -f "$map"' EXIT
# Data too (sqlite3_temp_directory): whatever is defined and global. Mach-O puts an underscore in front.
"$nm" --extern-only --defined-only "$library" 2> /dev/null |
    sed -nE 's/.* [A-TV-Z] (_?)(sqlite3[A-Za-z0-9_]*)$/\1\2 \1mls_mobile_\2/p' | sort -u > "$map"
[ -s "$map" ] || { echo "private-sqlite.sh: $library defines no SQLite" >&2; exit 1; }
"$objcopy" --redefine-syms="$map" "$library" "$output"
