// ffi-cost FOLDER: times the calls of benches/ffi_cost from Swift, through the generated code and through the layer over it.

import Foundation
import MlsMobile
import MlsMobileFFI

let fixture = Fixture(folder: URL(fileURLWithPath: CommandLine.arguments[1]))

/// The generated code, called where it is: blocking.
func generated(_ size: Size) throws {
    let measure = Measure(contestant: "swift-generated", size: size)
    let client = try MlsMobileFFI.MlsClient.open(config: fixture.phone(), validator: nil, logSink: nil)
    let group = try client.group(groupId: size.group)
    let messages = try fixture.messages(size)
    let plaintext = size.plaintext
    if size.name == Size.small.name {
        try measure("id") { _ = try group.id() }
    }
    // It changes nothing, so that any message does.
    try measure("info-\(size.name)") { _ = try client.messageInfo(message: messages[0]) }
    try measure("create-\(size.name)") { _ = try group.createMessage(plaintext: plaintext) }
    var next = messages.makeIterator()
    try measure("process-\(size.name)") { _ = try group.processMessage(message: next.next()!) }
}

/// What apps call: asynchronous, on threads of the library's own.
func layer(_ size: Size) async throws {
    let measure = Measure(contestant: "swift-layer", size: size)
    let client = try await MlsMobile.MlsClient.open(config: fixture.phone())
    let group = try await client.group(size.group)
    let messages = try fixture.messages(size)
    let plaintext = size.plaintext
    try await measure("info-\(size.name)") { _ = try await client.messageInfo(messages[0]) }
    try await measure("create-\(size.name)") { _ = try await group.createMessage(plaintext) }
    var next = messages.makeIterator()
    try await measure("process-\(size.name)") { _ = try await group.processMessage(next.next()!) }
    await client.close()
}

for size in [Size.small, .large] {
    try generated(size)
    try await layer(size)
}
