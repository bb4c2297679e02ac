// swift-format-ignore-file
// The declarations of Apple's C library that the tests use.

@_exported import Glibc

public typealias integer_t = Int32
public typealias kern_return_t = Int32
public typealias mach_port_t = UInt32
public typealias mach_msg_type_number_t = UInt32
public typealias task_flavor_t = UInt32

public let KERN_SUCCESS: kern_return_t = 0
public let MACH_TASK_BASIC_INFO: Int32 = 20
public let F_GETPATH: Int32 = 50
public let MAXPATHLEN: Int32 = 1024
nonisolated(unsafe) public var mach_task_self_: mach_port_t = 0

public struct mach_task_basic_info {
    public var resident_size: UInt64 = 0
    public var resident_size_max: UInt64 = 0
    public init() {}
}

public func task_info(
    _ task: mach_port_t, _ flavor: task_flavor_t, _ info: UnsafeMutablePointer<integer_t>?,
    _ count: UnsafeMutablePointer<mach_msg_type_number_t>?
) -> kern_return_t { KERN_SUCCESS }
