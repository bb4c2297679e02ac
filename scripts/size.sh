#!/usr/bin/env bash
# Records how large the library is: replaces the rows of a version in docs/size.md.
#
#   scripts/size.sh VERSION NAME=FILE...
#
# A shared library counts as stripped, as build.sh packs it; a static one counts what its sections hold without debug
# information, of which an app's linker keeps what it uses. Compressed is what gzip -9 leaves: about what a store delivers.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 2 ] || { sed -n '4p' "$0" | sed 's/^# *//' >&2; exit 2; }
version=$1
shift
ledger=docs/size.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

thousands() { awk -v n="$1" 'BEGIN { while (length(n) > 3) { s = "," substr(n, length(n) - 2) s; n = substr(n, 1, length(n) - 3) } print n s }'; }

: > "$work/rows"
for entry in "$@"; do
    name=${entry%%=*} file=${entry#*=}
    case $file in
        *.so) "${STRIP:-llvm-strip}" -o "$work/library" "$file" ;;
        *.a) "${STRIP:-llvm-strip}" --strip-debug -o "$work/library" "$file" ;;
        *) echo "size.sh: neither .so nor .a: $file" >&2; exit 2 ;;
    esac
    bytes=$(wc -c < "$work/library")
    packed=$(gzip -9 --no-name --stdout "$work/library" | wc -c)
    echo "| $version | $name | $(thousands "$bytes") | $(thousands "$packed") |" >> "$work/rows"
done

# The rows of this version go, the new ones come behind the last.
grep -v "^| $version | " "$ledger" > "$work/ledger"
awk -v rows="$work/rows" '
    { lines[NR] = $0; if ($0 ~ /^\|/) last = NR }
    END { for (i = 1; i <= NR; i++) { print lines[i]; if (i == last) while ((getline row < rows) > 0) print row } }
' "$work/ledger" > "$ledger"
cat "$work/rows"
