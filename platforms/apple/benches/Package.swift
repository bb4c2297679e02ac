// swift-tools-version: 6.0
// What a call costs from Swift: scripts/ffi-cost.sh. A package of its own, so that apps that add the library get none of it.

import PackageDescription

let package = Package(
    name: "benches",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "mls-mobile", path: "../../..")],
    targets: [
        .executableTarget(
            name: "ffi-cost", dependencies: [.product(name: "MlsMobile", package: "mls-mobile")])
    ],
    swiftLanguageModes: [.v6]
)
