import Foundation
import Testing

@testable import MlsMobile

@Suite struct ConfigurationTests {
    @Test func durations_stay_within_what_the_library_counts() {
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.seconds(-1).milliseconds == 0)
        #expect(Duration.seconds(10_000_000).milliseconds == .max)
        #expect(Duration.milliseconds(1500).wholeSeconds == 1)
        #expect(Duration.seconds(-1).wholeSeconds == 0)
    }

    @Test func a_key_package_tells_its_lifetime_in_dates() async throws {
        let client = try await open(try Folder(), "alice")
        let packages = try await client.createKeyPackages(
            identity: try await identity(client, "alice"), count: 1,
            options: KeyPackageOptions(lifetime: .seconds(24 * 3600)))
        let lifetime = try #require(packages.first).lifetime
        #expect(lifetime.contains(Date()))
        #expect(abs(lifetime.upperBound.timeIntervalSinceNow - 24 * 3600) < 60)
        let info = try await client.inspectKeyPackage(try #require(packages.first).bytes)
        #expect(info.lifetime == lifetime)
    }
}
