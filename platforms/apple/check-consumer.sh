#!/usr/bin/env bash
# Adds the package by git URL and tag to an empty package, as an app does, and runs a line of code. Runs inside
# scripts/swift.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost

# A repository of its own: a checkout may be a worktree, shallow, or without history.
mkdir -p "$work/mls-mobile/bindings" "$work/mls-mobile/platforms" "$work/app/Sources/app"
cp -r Package.swift "$work/mls-mobile/"
cp -r bindings/swift "$work/mls-mobile/bindings/"
cp -r platforms/apple "$work/mls-mobile/platforms/"
git -C "$work/mls-mobile" init --quiet
git -C "$work/mls-mobile" add --all
git -C "$work/mls-mobile" commit --quiet --message "as released"
git -C "$work/mls-mobile" tag 0.1.0

cat > "$work/app/Package.swift" << EOF
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "app",
    platforms: [.iOS(.v16), .macOS(.v13)],
    dependencies: [.package(url: "file://$work/mls-mobile", exact: "0.1.0")],
    targets: [
        .executableTarget(
            name: "app",
            dependencies: [
                .product(name: "MlsMobile", package: "mls-mobile"),
                .product(name: "MlsDelivery", package: "mls-mobile"),
            ],
            // What Xcode sets for new apps; compilers before 6.1 do not know it.
            swiftSettings: [.enableUpcomingFeature("MemberImportVisibility")]
        )
    ]
)
EOF
cat > "$work/app/Sources/app/main.swift" << 'EOF'
import Foundation
import MlsDelivery
import MlsMobile

let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
let client = try await MlsClient.open(config: ClientConfig(database: file, databaseKey: Data(repeating: 1, count: 32)))
do {
    _ = try await client.group(GroupId(Data([0xab])))
} catch MlsError.groupNotFound {
    print("groups:", try await client.groups().count)
}
let suite = try defaultCiphersuite()
let owner = try await client.createIdentity(credential: .basic(identity: Data("app".utf8)), ciphersuite: suite)
let config = GroupConfig(groupId: GroupId(Data([0xab])), padding: .block(size: 64))
print("group:", try await client.createGroup(identity: owner.id, config: config).id)
do {
    _ = try x509Validator(roots: [])
} catch let error as MlsError {
    print("code:", error.code)
}
let nowhere = DeliveryClient(address: URL(string: "http://127.0.0.1:1")!)
do {
    _ = try await nowhere.with(AccessToken("token")).readQueue()
} catch DeliveryError.noAnswer {
    print("device:", DeviceId(signatureKey: owner.id.bytes).bytes.count)
}
try await client.wipe()
await client.close()
EOF

cd "$work/app"
swift build > build.log 2>&1 || { cat build.log >&2; exit 1; }
[ "$(swift run --quiet --skip-build app)" = $'groups: 0\ngroup: ab\ncode: 171\ndevice: 32' ]
find .build/ -path '*MlsMobile.resources/PrivacyInfo.xcprivacy' | grep -q .
echo "an empty package that adds this one by URL and tag builds and runs, and has the privacy manifest"
