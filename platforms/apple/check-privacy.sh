#!/usr/bin/env bash
# Derives from the symbols that static libraries import which of Apple's "required reason" categories they need, and fails
# on one that PrivacyInfo.xcprivacy does not declare.
#
#   check-privacy.sh LIBRARY...
set -euo pipefail

[ $# -gt 0 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }

manifest=$(dirname "$0")/Sources/MlsMobile/PrivacyInfo.xcprivacy
nm=$(command -v llvm-nm || command -v nm) || { echo "check-privacy.sh: please install binutils" >&2; exit 1; }

# Mach-O puts "_" before a name and "$INODE64" behind it, Linux "64" or a version. A Rust archive also has a member that
# is no object, which nm complains about.
names=$({ "$nm" --undefined-only "$@" 2> /dev/null || true; } \
    | awk 'NF { print $NF }' | sed -E 's/^_//; s/^OBJC_CLASS_[$]_//; s/[$@].*//; s/64$//' | sort -u)
[ -n "$names" ] || { echo "check-privacy.sh: no symbols in $*" >&2; exit 1; }

undeclared=0
# A category and the names that stand for it.
category() {
    local name=NSPrivacyAccessedAPICategory$1 found
    shift
    found=$(grep -xE "$(IFS='|'; echo "$*")" <<< "$names" | tr '\n' ' ' || true)
    [ -n "$found" ] || return 0
    if grep -q "<string>$name</string>" "$manifest"; then
        echo "declared: $name ($found)"
    else
        echo "UNDECLARED: $name ($found)" >&2
        undeclared=1
    fi
}

category FileTimestamp stat fstat fstatat lstat getattrlist getattrlistbulk fgetattrlist getattrlistat
category DiskSpace statfs fstatfs statvfs fstatvfs
category SystemBootTime mach_absolute_time
category UserDefaults NSUserDefaults
category ActiveKeyboards UITextInputMode
exit $undeclared
