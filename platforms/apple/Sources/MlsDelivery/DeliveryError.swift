import Foundation

/// Why a call to the delivery service failed.
public enum DeliveryError: Error, Hashable, Sendable {
    /// No answer came. Whether the request was carried out is unknown: make it again, the service does nothing twice. At
    /// worst a key package that was claimed is lost.
    case noAnswer
    /// Too many requests, or the service is busy. Try again after a moment.
    case wait
    /// The token is missing, wrong or expired. Register again; the device stays the same.
    case unauthorized
    /// The service refused. `code` is a word of its interface that never changes, such as `no_key_package`.
    case refused(code: String)
    /// The answer is not one of this service: another server, or a sign-in page of the network that the phone is in.
    case notUnderstood
}

extension DeliveryError: LocalizedError, CustomStringConvertible {
    /// What happened, in words.
    public var description: String {
        switch self {
        case .noAnswer: "the delivery service did not answer"
        case .wait: "the delivery service asks to wait"
        case .unauthorized: "the token is not valid"
        case .refused(let code): "the delivery service refused: \(code)"
        case .notUnderstood: "the answer was not understood"
        }
    }

    /// As ``description``.
    public var errorDescription: String? { description }
}
