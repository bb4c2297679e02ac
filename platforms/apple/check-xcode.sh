#!/usr/bin/env bash
# On macOS with Xcode: the Swift package, over an XCFramework built here, compiles and links for an iPhone, the simulator
# and the Mac, and its tests run on the Mac.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -d platforms/apple/build/MlsMobileFFIC.xcframework ] || platforms/apple/build-xcframework.sh
for destination in "generic/platform=iOS" "generic/platform=iOS Simulator"; do
    xcodebuild -quiet -scheme MlsMobile -destination "$destination" -derivedDataPath target/xcode build
done
swift test --scratch-path target/swift
