// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What this process uses, as the system counts it (proc(5), getrusage(2)). What the system does not tell is nil.
package struct ProcessUsage: Sendable, Equatable {
  /// Bytes.
  package var resident: Int64?
  /// Bytes.
  package var virtual: Int64?
  /// Of all threads, user and system, since the start.
  package var cpuSeconds: Double?
  package var openDescriptors: Int?
  /// The soft limit of RLIMIT_NOFILE.
  package var descriptorLimit: Int?
  package var threads: Int?
  /// Unix seconds.
  package var started: Double?

  /// Asked now.
  package init() {
    if let stat = Self.content(of: "/proc/self/stat") { read(stat: stat) }
    var usage = rusage()
    if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
      cpuSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    }
    openDescriptors = Self.entries(in: "/proc/self/fd")
    var limit = rlimit()
    if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      descriptorLimit = Int(clamping: limit.rlim_cur)
    }
  }

  /// Fields count from the end of the program's name, which may hold spaces and brackets: the state is the third.
  private mutating func read(stat: String) {
    guard let end = stat.lastIndex(of: ")") else { return }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    func field(_ number: Int) -> Int64? { fields.count > number - 3 ? Int64(fields[number - 3]) : nil }
    threads = field(20).map { Int($0) }
    virtual = field(23)
    resident = field(24).map { $0 * Int64(sysconf(Int32(_SC_PAGESIZE))) }
    if let ticks = field(22) {
      let boot = Double(Clock.unix() - Clock.boot()) / 1e9
      started = ((boot + Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))) * 100).rounded() / 100
    }
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  private static func content(of path: String) -> String? {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    while bytes.count < 1 << 16, case .bytes = descriptor.read(into: &bytes, upTo: 4096) {}
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Without the one that is open for counting.
  private static func entries(in directory: String) -> Int? {
    guard let handle = unsafe opendir(directory) else { return nil }
    defer { unsafe closedir(handle) }
    var count = 0
    while let entry = unsafe readdir(handle) {
      if unsafe entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    return count - 1
  }
}
