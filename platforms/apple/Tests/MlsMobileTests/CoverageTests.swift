import Foundation
import Testing

/// The layer is written by hand, so it is compared with the generated text: a call that is new there must come here.
@Suite struct CoverageTests {
    /// What the layer calls otherwise, because its type is another.
    private let renamed = ["deadlineMs": "deadline", "path": "file"]

    @Test(arguments: ["MlsClient", "MlsGroup"])
    func every_generated_call_has_its_counterpart_with_its_parameters(object: String) throws {
        let layer = try declarations(of: object)
        for (name, parameters) in try generated(object) where (object, name) != ("MlsGroup", "id") {
            let expected = parameters.map { renamed[$0] ?? $0 }
            #expect(layer[name] == expected, "\(object).\(name)")
        }
    }

    @Test func the_lists_of_every_call_are_complete() throws {
        let text = try String(contentsOf: repository.appending(path: own + "EveryCall.swift"), encoding: .utf8)
        for object in ["MlsClient", "MlsGroup"] {
            for (name, _) in try generated(object) where (object, name) != ("MlsGroup", "id") {
                #expect(text.contains("\"\(name)\""), "\(object).\(name)")
            }
        }
    }

    @Test func every_scenario_has_a_test_here() throws {
        let list = try String(contentsOf: repository.appending(path: "tests/scenarios.md"), encoding: .utf8)
        let tests = try sources(own)
        let ids = list.matches(of: /\n\| (S\d+) \|/).map { String($0.1) }
        #expect(ids.count > 30)
        for id in ids { #expect(tests.contains("func \(id)_"), "\(id)") }
    }

    private let own = "platforms/apple/Tests/MlsMobileTests/"

    private func generated(_ object: String) throws -> [(name: String, parameters: [String])] {
        let path = repository.appending(path: "bindings/swift/MlsMobileFFI.swift")
        let text = try String(contentsOf: path, encoding: .utf8)
        let start = try #require(text.range(of: "public protocol \(object)Protocol"))
        let end = try #require(text.range(of: "\n}\n", range: start.upperBound..<text.endIndex))
        let methods = text[start.upperBound..<end.lowerBound].matches(of: /\n    func `?(\w+)`?\(([^\n]*?)\) throws/)
        #expect(methods.count > 30)
        return methods.map { (String($0.1), names($0.2)) }
    }

    /// The functions in `extension OBJECT` of the layer.
    private func declarations(of object: String) throws -> [String: [String]] {
        var found: [String: [String]] = [:]
        for block in try sources("platforms/apple/Sources/MlsMobile/").components(separatedBy: "\nextension ") {
            guard block.hasPrefix(object + " {") else { continue }
            for method in block.matches(of: /public func (\w+)\(([^{]*?)\)\s+async/) {
                found[String(method.1)] = names(method.2)
            }
        }
        return found
    }

    /// The inner names of parameters.
    private func names(_ parameters: Substring) -> [String] {
        parameters.matches(of: /`?(\w+)`?:/).map { String($0.1) }
    }

    private func sources(_ folder: String) throws -> String {
        let folder = repository.appending(path: folder)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "swift" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
            .joined(separator: "\n")
    }
}
