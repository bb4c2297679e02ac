import Foundation

/// Something that listens on this machine and is not the service: it answers every request with the same bytes.
final class AnotherServer: @unchecked Sendable {
    private let socket: Int32
    private let answer: Data
    private let lock = NSLock()
    private var requests: [String] = []
    let address: URL

    /// What was asked, up to the body.
    var heads: [String] { lock.withLock { requests } }

    init(_ answer: Data) throws {
        self.answer = answer
        #if os(Linux)
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &place) { [socket] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard bound, let url = URL(string: "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))") else {
            throw POSIXError(.EADDRNOTAVAIL)
        }
        address = url
        Thread.detachNewThread { [weak self, socket] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0, let server = self else { return }
                server.serve(connection)
            }
        }
    }

    deinit {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private func serve(_ connection: Int32) {
        let stream = FileHandle(fileDescriptor: connection, closeOnDealloc: true)
        var read = Data()
        while true {
            let more = stream.availableData
            guard !more.isEmpty else { return }
            read.append(more)
            guard let end = read.range(of: Data("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: read[..<end.upperBound], as: UTF8.self)
            // The body too: who closes before it has all would cut its own answer off.
            let length = head.firstMatch(of: /Content-Length: (\d+)/).flatMap { Int($0.1) } ?? 0
            guard read.count >= end.upperBound + length else { continue }
            lock.withLock { requests.append(head) }
            // Who has heard enough closes.
            try? stream.write(contentsOf: answer)
            return
        }
    }
}
