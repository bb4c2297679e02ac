#!/usr/bin/env bash
# Assembles MlsMobileFFIC.xcframework from static libraries, zips it, and writes the manifest's binary target.
#
#   build-xcframework.sh [--library SLICE=FILE]... [--out FOLDER] [--release URL]
#
#   --library   a static library that exists already, once for each slice: ios-arm64, ios-arm64-simulator,
#               ios-x86_64-simulator, macos-arm64, macos-x86_64. Without any, all five are built, which needs macOS
#   --out       where the framework, the zip and its checksum go; without it platforms/apple/build, where Package.swift
#               looks for it
#   --release   the address at which the zip will be found: writes it with the checksum into Package.swift
#
# The assembly needs no Xcode: lipo or llvm-lipo for two architectures, llvm-objcopy or rust-objcopy, zip. It signs
# where `codesign` and SIGNING_IDENTITY are.
set -euo pipefail
cd "$(dirname "$0")/../.."

name=MlsMobileFFIC
out=platforms/apple/build
release=
libraries=()
# What a phone or Mac must run at least; as in Package.swift.
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0

usage() {
    sed -n '4,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
        --library) libraries+=("$2") ;;
        --out) out=$2 ;;
        --release) release=$2 ;;
        *) usage ;;
    esac
    shift 2
done

target_of() {
    case $1 in
        ios-arm64) echo aarch64-apple-ios ;;
        ios-arm64-simulator) echo aarch64-apple-ios-sim ;;
        ios-x86_64-simulator) echo x86_64-apple-ios ;;
        macos-arm64) echo aarch64-apple-darwin ;;
        macos-x86_64) echo x86_64-apple-darwin ;;
        *) echo "build-xcframework.sh: there is no slice $1" >&2; exit 2 ;;
    esac
}

build_all() {
    local slice target
    [ "$(uname)" = Darwin ] || { echo "build-xcframework.sh: building needs macOS; give --library" >&2; exit 2; }
    for slice in ios-arm64 ios-arm64-simulator ios-x86_64-simulator macos-arm64 macos-x86_64; do
        target=$(target_of "$slice")
        cargo rustc --release --locked --lib --crate-type staticlib --target "$target"
        libraries+=("$slice=target/$target/release/libmls_mobile.a")
    done
}

# The first of the commands that exists.
tool() {
    local candidate
    for candidate in "$@"; do
        if command -v "$candidate" > /dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "build-xcframework.sh: please install one of: $*" >&2
    exit 1
}

# The framework's folders are named after platform and architectures, as Xcode does.
add_platform() {
    local platform=$1 variant=$2 identifier architectures=() files=() entry slice architecture
    for entry in "${libraries[@]}"; do
        slice=${entry%%=*}
        case $slice in
            "$platform"-*"$variant") ;;
            *) continue ;;
        esac
        # "ios-*" is the device only, not the simulator.
        [ -n "$variant" ] || [ "$slice" = "${slice%-simulator}" ] || continue
        architecture=${slice#*-}
        architectures+=("${architecture%-simulator}")
        scripts/private-sqlite.sh "${entry#*=}" "$work/$slice.a"
        files+=("$work/$slice.a")
    done
    [ ${#files[@]} -gt 0 ] || return 0

    identifier=$platform-$(IFS=_; echo "${architectures[*]}")$variant
    local folder=$framework/$identifier
    mkdir -p "$folder/Headers/$name"
    if [ ${#files[@]} -eq 1 ]; then
        cp "${files[0]}" "$folder/libmls_mobile.a"
    else
        "$(tool lipo llvm-lipo)" -create "${files[@]}" -output "$folder/libmls_mobile.a"
    fi
    scripts/check-library.sh "${files[@]}"
    # In a folder of its own: two module.modulemap of two frameworks would overwrite each other in an app.
    cp "bindings/swift/$name.h" "$folder/Headers/$name/"
    cp "bindings/swift/$name.modulemap" "$folder/Headers/$name/module.modulemap"
    describe "$identifier" "$platform" "${variant#-}" "${architectures[@]}" >> "$work/available"
}

describe() {
    local identifier=$1 platform=$2 variant=$3
    shift 3
    cat << ENTRY
		<dict>
			<key>BinaryPath</key>
			<string>libmls_mobile.a</string>
			<key>HeadersPath</key>
			<string>Headers</string>
			<key>LibraryIdentifier</key>
			<string>$identifier</string>
			<key>LibraryPath</key>
			<string>libmls_mobile.a</string>
			<key>SupportedArchitectures</key>
			<array>
$(printf '\t\t\t\t<string>%s</string>\n' "$@")
			</array>
			<key>SupportedPlatform</key>
			<string>$platform</string>
ENTRY
    if [ -n "$variant" ]; then
        printf '\t\t\t<key>SupportedPlatformVariant</key>\n\t\t\t<string>%s</string>\n' "$variant"
    fi
    printf '\t\t</dict>\n'
}

write_info() {
    cat > "$framework/Info.plist" << INFO
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>AvailableLibraries</key>
	<array>
$(cat "$work/available")
	</array>
	<key>CFBundlePackageType</key>
	<string>XFWK</string>
	<key>XCFrameworkFormatVersion</key>
	<string>1.0</string>
</dict>
</plist>
INFO
}

# The same input gives the same zip: names in order, one date, no extra fields. Line tables stay in, for the crash reports of the app that links them.
pack() {
    find "$framework" -exec touch -h -t 202001010000 {} +
    (cd "$out" && find "$name.xcframework" | LC_ALL=C sort | zip -q -X -@ "$name.xcframework.zip")
    # SwiftPM's checksum is SHA-256 of the zip.
    if command -v sha256sum > /dev/null; then
        sha256sum "$out/$name.xcframework.zip"
    else
        shasum -a 256 "$out/$name.xcframework.zip"
    fi | cut -d ' ' -f 1 > "$out/$name.xcframework.zip.checksum"
}

# Through a copy, because sed edits in place differently on Linux and macOS.
write_manifest() {
    local line="let release: (url: String, checksum: String)? = (\"$release\", \"$(cat "$framework.zip.checksum")\")"
    sed "s|^let release: .*|$line|" Package.swift > "$work/Package.swift"
    cp "$work/Package.swift" Package.swift
    grep -qF "$line" Package.swift || { echo "build-xcframework.sh: Package.swift has no line \"let release\"" >&2; exit 1; }
}

if [ ${#libraries[@]} -eq 0 ]; then build_all; fi
for entry in "${libraries[@]}"; do
    target_of "${entry%%=*}" > /dev/null
    [ -f "${entry#*=}" ] || { echo "build-xcframework.sh: there is no ${entry#*=}" >&2; exit 2; }
done
tool zip > /dev/null

framework=$out/$name.xcframework
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$framework" "$framework.zip" "$framework.zip.checksum"
mkdir -p "$framework"
: > "$work/available"
add_platform ios ""
add_platform ios -simulator
add_platform macos ""
write_info
if [ -n "${SIGNING_IDENTITY:-}" ] && command -v codesign > /dev/null; then
    codesign --timestamp --sign "$SIGNING_IDENTITY" "$framework"
else
    echo "not signed: that needs codesign and SIGNING_IDENTITY"
fi
pack
if [ -n "$release" ]; then write_manifest; fi
echo "$framework.zip $(cat "$framework.zip.checksum")"
