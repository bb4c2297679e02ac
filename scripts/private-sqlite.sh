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

first_of() {
    local name
    for name in "$@"; do
        if command -v "$name"; then return; fi
    done
}
objcopy=${OBJCOPY:-$(first_of llvm-objcopy)}
nm=${NM:-$(first_of llvm-nm nm)}
if [ -z "$objcopy" ]; then
    # Rust brings one for its own use, which looks for its libraries beside the compiler's.
    sysroot=$(rustc --print sysroot)
    objcopy=$(find "$sysroot/lib/rustlib" -path '*/bin/rust-objcopy' | head -1)
    export LD_LIBRARY_PATH="$sysroot/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
[ -n "$objcopy" ] || { echo "private-sqlite.sh: please install llvm (rustup component add llvm-tools)" >&2; exit 1; }

map=$(mktemp)
trap 'rm -f "$map"' EXIT
# A member that nm cannot read (Rust's own metadata, another LLVM's bitcode) is none of SQLite's; the check after this
# looks at the result. Data too (sqlite3_temp_directory): whatever is defined and global. Mach-O puts an underscore in front.
{ "$nm" --extern-only --defined-only "$library" 2> /dev/null || true; } |
    sed -nE 's/.* [A-TV-Z] (_?)(sqlite3[A-Za-z0-9_]*)$/\1\2 \1mls_mobile_\2/p' | sort -u > "$map"
[ -s "$map" ] || { echo "private-sqlite.sh: $library defines no SQLite" >&2; exit 1; }
"$objcopy" --redefine-syms="$map" "$library" "$output"
