import Foundation

/// What this process holds in memory, in KiB: now, and at most so far.
struct Memory {
    let now: Int
    let peak: Int
}

#if canImport(Darwin)
    import Darwin

    extension Memory {
        init() {
            var info = mach_task_basic_info()
            let words = MemoryLayout<mach_task_basic_info>.size / MemoryLayout<integer_t>.size
            var count = mach_msg_type_number_t(words)
            let status = withUnsafeMutablePointer(to: &info) {
                $0.withMemoryRebound(to: integer_t.self, capacity: words) {
                    task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
                }
            }
            guard status == KERN_SUCCESS else { fatalError("the system does not tell the memory") }
            (now, peak) = (Int(info.resident_size) / 1024, Int(info.resident_size_max) / 1024)
        }
    }
#else
    extension Memory {
        init() {
            guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
                let now = Self.field("VmRSS", status), let peak = Self.field("VmHWM", status)
            else { fatalError("the system does not tell the memory") }
            (self.now, self.peak) = (now, peak)
        }

        private static func field(_ name: String, _ status: String) -> Int? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        }
    }
#endif
