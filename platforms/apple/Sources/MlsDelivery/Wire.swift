import Foundation

// What travels as JSON. Its names are the service's, in snake case; bytes are base64url without padding.

struct Challenge: Decodable {
    let challenge: Data
}

struct Register: Encodable {
    let proof: Data
}

struct Registration: Decodable {
    let device: Data
    let token: String
    let expiresIn: UInt64
}

struct Publish: Encodable {
    let keyPackages: [Data]
}

struct Stocks: Decodable {
    let suites: [KeyPackageStock]
}

struct CreateGroup: Encodable {
    let group: Data
    let epoch: UInt64
    let joinSecretHash: Data?
}

struct Submit: Encodable {
    let commit: Data
    var added: [Data] = []
    var removed: [Data] = []
    var welcome: Data?
    var groupInfo: PublishedGroupInfo?
    var joinSecretHash: Data?
}

struct Accepted: Decodable {
    let epoch: UInt64
    let duplicate: Bool
    let unknownDevices: [Data]?
}

struct Status: Decodable {
    let epoch: UInt64
    let devices: [Data]
}

struct Acknowledge: Encodable {
    let cursor: UInt64
    let missed: UInt64
}

struct Problem: Decodable {
    let code: String
    let epoch: UInt64?
}

func encoded(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dataEncodingStrategy = .custom { data, encoder in
        var container = encoder.singleValueContainer()
        try container.encode(data.base64URL)
    }
    return try encoder.encode(value)
}

func decoded<Value: Decodable>(_ json: Data) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    decoder.dataDecodingStrategy = .custom { decoder in
        guard let data = Data(base64URL: try decoder.singleValueContainer().decode(String.self)) else {
            throw DeliveryError.notUnderstood
        }
        return data
    }
    do {
        return try decoder.decode(Value.self, from: json)
    } catch {
        throw DeliveryError.notUnderstood
    }
}
