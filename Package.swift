// swift-tools-version: 6.0
// The Swift package: on Apple's systems over the XCFramework, on Linux over the library that cargo has built.

import PackageDescription

// The release writes this line, and no other: the archive's address and the checksum of its bytes.
let release: (url: String, checksum: String)? = nil

#if os(Linux)
    // The linker finds libmls_mobile by LIBRARY_PATH; scripts/swift.sh sets it.
    let library = Target.systemLibrary(name: "MlsMobileFFIC", path: "platforms/apple/Sources/MlsMobileFFIC")
#else
    // Without a release, the archive that was built here.
    let library =
        if let release {
            Target.binaryTarget(name: "MlsMobileFFIC", url: release.url, checksum: release.checksum)
        } else {
            Target.binaryTarget(name: "MlsMobileFFIC", path: "platforms/apple/build/MlsMobileFFIC.xcframework")
        }
#endif

let package = Package(
    name: "mls-mobile",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "MlsMobile", targets: ["MlsMobile"]),
        // The reference delivery service's client, for apps that use that service: MlsMobile does no networking.
        .library(name: "MlsDelivery", targets: ["MlsDelivery"]),
    ],
    targets: [
        library,
        .target(name: "MlsMobileIds", path: "platforms/apple/Sources/MlsMobileIds"),
        // Generated; apps import the layer over it.
        .target(
            name: "MlsMobileFFI",
            dependencies: ["MlsMobileFFIC", "MlsMobileIds"],
            path: "bindings/swift",
            exclude: ["MlsMobileFFIC.h", "MlsMobileFFIC.modulemap"]
        ),
        .target(
            name: "MlsMobile",
            dependencies: ["MlsMobileFFI", "MlsMobileIds"],
            path: "platforms/apple/Sources/MlsMobile",
            resources: [.copy("PrivacyInfo.xcprivacy")]
        ),
        .target(name: "MlsDelivery", path: "platforms/apple/Sources/MlsDelivery"),
        // Second processes of the tests: the programs of tests/scenarios.md, and an app's extension.
        .executableTarget(
            name: "phone", dependencies: ["MlsDelivery", "MlsMobile"], path: "platforms/apple/DeliveryPhone"),
        .executableTarget(name: "device", dependencies: ["MlsMobile"], path: "platforms/apple/Device"),
        .executableTarget(name: "test-process", dependencies: ["MlsMobile"], path: "platforms/apple/TestProcess"),
        .testTarget(
            name: "MlsMobileTests",
            dependencies: ["MlsMobile", "MlsMobileFFI", "device", "test-process"],
            path: "platforms/apple/Tests/MlsMobileTests"
        ),
        .testTarget(
            name: "MlsDeliveryTests",
            dependencies: ["MlsDelivery", "MlsMobile", "phone"],
            path: "platforms/apple/Tests/MlsDeliveryTests"
        ),
    ],
    swiftLanguageModes: [.v6]
)
