import Foundation

#if canImport(Darwin)
    import Darwin

    /// The paths of the files that this process holds open.
    func openFiles() throws -> [String] {
        (0..<getdtablesize()).compactMap { descriptor in
            var path = [CChar](repeating: 0, count: Int(MAXPATHLEN))
            guard fcntl(descriptor, F_GETPATH, &path) != -1 else { return nil }
            return String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
#else
    /// The paths of the files that this process holds open.
    func openFiles() throws -> [String] {
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
        }
    }
#endif
