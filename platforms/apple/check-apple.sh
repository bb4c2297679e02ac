#!/usr/bin/env bash
# Checks on Linux what is compiled on Apple's systems only: the layer's helpers and the samples, against the signatures in
# Stubs, with Swift 6. Runs inside scripts/swift.sh.
set -euo pipefail
cd "$(dirname "$0")"

modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT
check() { swiftc -swift-version 6 -I "$modules" "$@"; }

for stub in Security UserNotifications UIKit; do
    check -emit-module -parse-as-library -module-name "$stub" -emit-module-path "$modules/$stub.swiftmodule" "Stubs/$stub.swift"
done
c=(-Xcc -fmodule-map-file=Sources/MlsMobileFFIC/module.modulemap)
check -emit-module -parse-as-library -module-name MlsMobileIds -emit-module-path "$modules/MlsMobileIds.swiftmodule" Sources/MlsMobileIds/*.swift
check "${c[@]}" -emit-module -parse-as-library -module-name MlsMobileFFI -emit-module-path "$modules/MlsMobileFFI.swiftmodule" ../../bindings/swift/MlsMobileFFI.swift
# With the module Security there, the helpers are no longer left out.
check "${c[@]}" -emit-module -parse-as-library -module-name MlsMobile -emit-module-path "$modules/MlsMobile.swiftmodule" Sources/MlsMobile/*.swift Sources/MlsMobile/Apple/*.swift
check "${c[@]}" -typecheck -parse-as-library -warnings-as-errors Samples/*.swift
