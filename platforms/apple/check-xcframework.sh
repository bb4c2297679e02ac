#!/usr/bin/env bash
# Assembles an XCFramework and a release's Package.swift in a copy of what they are made from, and checks their shape. On
# Linux the slices hold two members of this machine's library: how they are packed is looked at, not what they compute.
#
#   check-xcframework.sh LIBRARY.a
#   check-xcframework.sh SLICE=FILE...     real slices, as for build-xcframework.sh
set -euo pipefail

[ $# -gt 0 ] || { sed -n '5,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }

project=$(cd "$(dirname "$0")/../.." && pwd)
name=MlsMobileFFIC
address=https://example.org/$name.xcframework.zip
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check-xcframework.sh: $*" >&2
    exit 1
}

# SQLite, and one of the members that have the bindings' functions.
stand_in() {
    local library=$1 nm members
    nm=$(command -v llvm-nm || command -v nm)
    members=$({ "$nm" -A --defined-only "$library" 2> /dev/null || true; } |
        awk '/ T uniffi_mls_mobile_fn_/ && !u { u = $1 } / T sqlite3_open$/ { s = $1 } END { print u; print s }' |
        sed -E 's/.*\.a:([^:]*):.*/\1/')
    mkdir "$work/members"
    (cd "$work/members" && xargs ar x "$library" <<< "$members" && ar rcs ../stand-in.a ./*)
}

libraries=()
case $1 in
    *=*) for slice in "$@"; do libraries+=(--library "${slice%%=*}=$(realpath "${slice#*=}")"); done ;;
    *)
        stand_in "$(realpath "$1")"
        for slice in ios-arm64 ios-arm64-simulator macos-arm64; do
            libraries+=(--library "$slice=$work/stand-in.a")
        done
        ;;
esac

mkdir -p "$work/copy/bindings" "$work/copy/platforms/apple"
cp "$project/Package.swift" "$work/copy/"
cp -r "$project/scripts" "$work/copy/"
cp -r "$project/bindings/swift" "$work/copy/bindings/"
cp "$project/platforms/apple/build-xcframework.sh" "$work/copy/platforms/apple/"

# The manifest as Apple's systems read it, in JSON.
manifest() {
    sed -i.linux 's/^#if os(Linux)$/#if os(Windows)/' "$work/copy/Package.swift"
    (cd "$work/copy" && "$project/scripts/swift.sh" swift package dump-package)
}

# Twice, of which the second has other names and times of its files, and is for a release.
build=$work/copy/platforms/apple/build-xcframework.sh
"$build" "${libraries[@]}" > "$work/log" || { cat "$work/log" >&2; exit 1; }
manifest > "$work/local.json"
cp "$project/Package.swift" "$work/copy/"
"$build" "${libraries[@]}" --out "$work/out" --release "$address" > "$work/log" || { cat "$work/log" >&2; exit 1; }
diff <(sed 's/^let release: .*//' "$project/Package.swift") <(sed 's/^let release: .*//' "$work/copy/Package.swift") ||
    fail "the release changes more of Package.swift than its line"
manifest > "$work/release.json"

local_build=$work/copy/platforms/apple/build
cmp "$local_build/$name.xcframework.zip" "$work/out/$name.xcframework.zip" || fail "the zip is another one each time"
checksum=$(cat "$work/out/$name.xcframework.zip.checksum")
[ "$checksum" = "$("$project/scripts/swift.sh" swift package compute-checksum "$work/out/$name.xcframework.zip")" ] ||
    fail "SwiftPM computes another checksum"

(cd "$work" && unzip -q "out/$name.xcframework.zip" -d unpacked && diff -r "out/$name.xcframework" "unpacked/$name.xcframework") ||
    fail "the zip holds something else"
"$project/scripts/check-library.sh" "$work/unpacked/$name.xcframework"/*/libmls_mobile.a > "$work/log" ||
    fail "a slice is wrong"

python3 - "$work" "$project/bindings/swift" "$address" "$checksum" << 'PYTHON'
import filecmp, json, pathlib, plistlib, sys

work, bindings = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
address, checksum = sys.argv[3:]
framework = work / "unpacked/MlsMobileFFIC.xcframework"
info = plistlib.loads((framework / "Info.plist").read_bytes())
assert info["CFBundlePackageType"] == "XFWK" and info["XCFrameworkFormatVersion"] == "1.0", info
slices = info["AvailableLibraries"]
assert sorted(s["LibraryIdentifier"] for s in slices) == sorted(p.name for p in framework.iterdir() if p.is_dir())
for entry in slices:
    keys = {"BinaryPath", "HeadersPath", "LibraryIdentifier", "LibraryPath", "SupportedArchitectures", "SupportedPlatform"}
    variant = entry.get("SupportedPlatformVariant")
    assert set(entry) - {"SupportedPlatformVariant"} == keys, entry
    parts = [entry["SupportedPlatform"], "_".join(entry["SupportedArchitectures"])] + ([variant] if variant else [])
    assert entry["LibraryIdentifier"] == "-".join(parts), entry
    assert (entry["SupportedPlatform"], variant) in {("ios", None), ("ios", "simulator"), ("macos", None)}, entry
    folder = framework / entry["LibraryIdentifier"]
    assert (folder / entry["LibraryPath"]).is_file() and entry["BinaryPath"] == entry["LibraryPath"], entry
    headers = folder / entry["HeadersPath"] / "MlsMobileFFIC"
    assert sorted(p.name for p in headers.iterdir()) == ["MlsMobileFFIC.h", "module.modulemap"], entry
    assert filecmp.cmp(headers / "MlsMobileFFIC.h", bindings / "MlsMobileFFIC.h", shallow=False)
    assert filecmp.cmp(headers / "module.modulemap", bindings / "MlsMobileFFIC.modulemap", shallow=False)


def target(manifest):
    targets = json.loads((work / manifest).read_text())["targets"]
    return next(t for t in targets if t["name"] == "MlsMobileFFIC")


local, release = target("local.json"), target("release.json")
assert local["type"] == release["type"] == "binary", (local, release)
assert (work / "copy" / local["path"] / "Info.plist").is_file(), local
assert (release["url"], release["checksum"]) == (address, checksum), release
print("XCFramework:", ", ".join(sorted(s["LibraryIdentifier"] for s in slices)))
PYTHON
