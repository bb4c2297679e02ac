#!/usr/bin/env bash
# Checks on Linux what is compiled on Apple's systems only: the layer's helpers and the samples, with Swift 6, against the
# signatures in Stubs. Runs inside scripts/swift.sh.
set -euo pipefail
cd "$(dirname "$0")"

modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT

compile() {
    swiftc -swift-version 6 -parse-as-library -I "$modules" \
        -Xcc -fmodule-map-file=Sources/MlsMobileFFIC/module.modulemap "$@"
}

module() {
    local name=$1
    shift
    compile -emit-module -module-name "$name" -emit-module-path "$modules/$name.swiftmodule" "$@"
}

for stub in CryptoKit Security UserNotifications UIKit Darwin; do module "$stub" "Stubs/$stub.swift"; done
module MlsMobileIds Sources/MlsMobileIds/*.swift
module MlsMobileFFI ../../bindings/swift/MlsMobileFFI.swift
# With a module Security there, the helpers are no longer left out.
module MlsMobile Sources/MlsMobile/*.swift Sources/MlsMobile/Apple/*.swift
module MlsDelivery Sources/MlsDelivery/*.swift
compile -typecheck -warnings-as-errors Sources/MlsDelivery/*.swift
compile -typecheck -warnings-as-errors Samples/*.swift
# With a module Darwin there, what the tests ask Apple's systems instead of /proc.
compile -typecheck -warnings-as-errors TestProcess/*.swift Tests/MlsMobileTests/OpenFiles.swift
