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

    @Test func every_generated_type_has_its_name_in_the_layer() throws {
        let text = try generatedText()
        let types = text.matches(of: /\npublic\s+(?:indirect )?(?:struct|enum|protocol) (\w+)/).map { String($0.1) }
        let layer = try sources("platforms/apple/Sources/MlsMobile/")
        let own = types.filter { !$0.hasPrefix("FfiConverter") && !$0.hasSuffix("Protocol") }
        #expect(own.count > 60)
        for type in own {
            #expect(try layer.contains(Regex("public (typealias|struct|enum) \(type)\\b")), "\(type)")
        }
    }

    @Test func every_generated_constructor_and_function_has_its_counterpart() throws {
        let text = try generatedText()
        let client = try #require(text.range(of: "open class MlsClient: ")).upperBound
        let end = try #require(text.range(of: "\npublic struct FfiConverterTypeMlsClient")).lowerBound
        let constructors = text[client..<end].matches(of: /\npublic static func `?(\w+)`?\(/).map { String($0.1) }
        let functions = text.matches(of: /\npublic func (\w+)\(/).map { String($0.1) }
            .filter { !$0.hasPrefix("FfiConverter") && !$0.hasPrefix("uniffi") && $0 != "errorCode" }
        #expect(constructors.count == 3 && functions.count == 5)
        let layer = try sources("platforms/apple/Sources/MlsMobile/")
        for name in constructors { #expect(layer.contains("    public static func \(name)("), "\(name)") }
        for name in functions { #expect(layer.contains("\npublic func \(name)("), "\(name)") }
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
        let tests = try sources(own) + sources("platforms/apple/Tests/MlsDeliveryTests/")
        let ids = list.matches(of: /\n\| (S\d+) \|/).map { String($0.1) }
        #expect(ids.count > 30)
        for id in ids { #expect(tests.contains("func \(id)_"), "\(id)") }
    }

    private let own = "platforms/apple/Tests/MlsMobileTests/"

    private func generatedText() throws -> String {
        try String(contentsOf: repository.appending(path: "bindings/swift/MlsMobileFFI.swift"), encoding: .utf8)
    }

    private func generated(_ object: String) throws -> [(name: String, parameters: [String])] {
        let text = try generatedText()
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
