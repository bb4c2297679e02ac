import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

enum Method: String {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}

/// Requests of one client, over connections that it keeps open while it is in use.
final class Transport: Sendable {
    private let address: String
    private let session: URLSession
    private let answers = Answers()

    init(_ address: URL) {
        var text = address.absoluteString
        while text.hasSuffix("/") { text.removeLast() }
        self.address = text
        // No cookies, and no cache: what comes is this device's, and is kept sealed or not at all.
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.timeoutIntervalForRequest = 60
        configuration.timeoutIntervalForResource = 60
        // The system's own would name the app, the phone and its user's language.
        configuration.httpAdditionalHeaders = ["User-Agent": "mls-mobile", "Accept-Language": "*"]
        session = URLSession(configuration: configuration, delegate: answers, delegateQueue: nil)
    }

    deinit { session.invalidateAndCancel() }

    func request(
        _ method: Method, _ path: String, _ token: AccessToken?, joinSecret: Data? = nil
    ) throws -> URLRequest {
        guard let url = URL(string: address + path) else { throw DeliveryError.noAnswer }
        var request = URLRequest(url: url)
        request.httpMethod = method.rawValue
        if method == .post { request.httpBody = Data() }
        if let token { request.setValue("Bearer " + token.text, forHTTPHeaderField: "Authorization") }
        if let joinSecret { request.setValue(joinSecret.base64URL, forHTTPHeaderField: "mls-join-secret") }
        return request
    }

    /// The body of an answer that says that it was done.
    func success(_ request: URLRequest) async throws -> Data {
        let (status, body) = try await exchange(request)
        return try successful(status, body)
    }

    func exchange(_ request: URLRequest) async throws -> (status: Int, body: Data) {
        try Task.checkCancellation()
        let task = session.dataTask(with: request)
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { waiting in
                    answers.expect(task, waiting)
                    task.resume()
                }
            } onCancel: {
                task.cancel()
            }
        } catch let error as DeliveryError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw DeliveryError.noAnswer
        }
    }
}

func successful(_ status: Int, _ body: Data) throws -> Data {
    switch status {
    case 200..<300: return body
    case 401: throw DeliveryError.unauthorized
    case 429, 503: throw DeliveryError.wait
    default:
        let problem: Problem = try decoded(body)
        throw DeliveryError.refused(code: problem.code)
    }
}

/// Collects answers, up to a size, and follows no redirection: the token is for this service only.
private final class Answers: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// A page, or one message of the largest that the service takes.
    private static let largest = 16 << 20

    private typealias Waiting = CheckedContinuation<(status: Int, body: Data), any Error>
    private struct Answer {
        let waiting: Waiting
        var body = Data()
        var tooLarge = false
    }

    private let lock = NSLock()
    private var answers: [Int: Answer] = [:]

    func expect(_ task: URLSessionTask, _ waiting: CheckedContinuation<(status: Int, body: Data), any Error>) {
        lock.withLock { answers[task.taskIdentifier] = Answer(waiting: waiting) }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let tooLarge = lock.withLock {
            guard var answer = answers.removeValue(forKey: dataTask.taskIdentifier) else { return true }
            answer.tooLarge = answer.body.count + data.count > Self.largest
            if !answer.tooLarge { answer.body.append(data) }
            answers[dataTask.taskIdentifier] = answer
            return answer.tooLarge
        }
        if tooLarge { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Names and passwords are not for this service; its certificate is the system's to judge.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        let isPassword = [NSURLAuthenticationMethodHTTPBasic, NSURLAuthenticationMethodHTTPDigest]
            .contains(challenge.protectionSpace.authenticationMethod)
        completionHandler(isPassword ? .rejectProtectionSpace : .performDefaultHandling, nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let answer = lock.withLock({ answers.removeValue(forKey: task.taskIdentifier) }) else { return }
        if answer.tooLarge {
            answer.waiting.resume(throwing: DeliveryError.notUnderstood)
        } else if let error {
            answer.waiting.resume(throwing: error)
        } else if let response = task.response as? HTTPURLResponse {
            answer.waiting.resume(returning: (response.statusCode, answer.body))
        } else {
            answer.waiting.resume(throwing: DeliveryError.notUnderstood)
        }
    }
}
