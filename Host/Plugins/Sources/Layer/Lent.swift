// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import PluginAPI
internal import Synchronization

/// Memory that is lent to the plugin for one call, and what becomes of it.
@safe final class Lent {
  private let mode: ValidationLayer.Lending
  private var regions: [Region] = []

  /// A mapping with an unreadable page at its end.
  @safe struct Region: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let size: Int
  }

  /// What was lent stays mapped for a while: poisoned so that its addresses are not used again, otherwise so that a plugin that
  /// goes on using it fails in the case that is about that and in no other.
  private static let graves = Mutex<[Region]>([])
  private static let graveLimit = 4_000
  private static let page = 4_096

  init(_ mode: ValidationLayer.Lending) { self.mode = mode }

  /// A place for `count` bytes. In the mode `unterminated` it ends where readable memory ends.
  func place(_ count: Int, alignment: Int) -> UnsafeMutableRawPointer {
    let body = (max(count + 16, 1) + Self.page - 1) / Self.page * Self.page
    guard let base = unsafe mmap(nil, body + Self.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe base != UnsafeMutableRawPointer(bitPattern: -1)
    else { fatalError("no memory for the validator") }
    unsafe mprotect(base + body, Self.page, PROT_NONE)
    unsafe regions.append(Region(base: base, size: body + Self.page))
    let offset = mode == .unterminated ? (body - count) / alignment * alignment : 0
    return unsafe base + offset
  }

  /// A copy of a record; the record itself where memory is lent plainly.
  func copy<T>(_ value: T) -> UnsafePointer<T> { unsafe UnsafePointer(mutable(value)) }

  func mutable<T>(_ value: T) -> UnsafeMutablePointer<T> {
    let place = unsafe place(MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment).bindMemory(to: T.self, capacity: 1)
    unsafe place.initialize(to: value)
    return unsafe place
  }

  func copy(_ text: bb_str_t) -> bb_str_t {
    guard mode != .plain, let data = unsafe text.data, unsafe text.length > 0 else { return unsafe text }
    let place = unsafe place(Int(text.length), alignment: 1)
    unsafe place.copyMemory(from: data, byteCount: Int(text.length))
    var lent = unsafe text
    unsafe lent.data = UnsafePointer(place.assumingMemoryBound(to: CChar.self))
    return unsafe lent
  }

  func copy(_ bytes: bb_bytes_t) -> bb_bytes_t {
    guard mode != .plain, let data = unsafe bytes.data, unsafe bytes.length > 0 else { return unsafe bytes }
    let place = unsafe place(Int(bytes.length), alignment: 1)
    unsafe place.copyMemory(from: data, byteCount: Int(bytes.length))
    var lent = unsafe bytes
    unsafe lent.data = UnsafePointer(place.assumingMemoryBound(to: UInt8.self))
    return unsafe lent
  }

  func copy(_ list: UnsafePointer<UInt32>?, _ count: UInt32) -> UnsafePointer<UInt32>? {
    guard mode != .plain, let list = unsafe list, count > 0 else { return unsafe list }
    let place = unsafe place(Int(count) * 4, alignment: 4)
    unsafe place.copyMemory(from: list, byteCount: Int(count) * 4)
    return unsafe UnsafePointer(place.bindMemory(to: UInt32.self, capacity: Int(count)))
  }

  /// The call has returned.
  func end() {
    if mode == .poisoned {
      for region in regions { unsafe mprotect(region.base, region.size, PROT_NONE) }
    }
    let old = Self.graves.withLock { graves in
      // At once: a list that grows now and then would be taken for what a plugin holds.
      if graves.isEmpty { graves.reserveCapacity(2 * Self.graveLimit) }
      graves += regions
      let surplus = max(0, graves.count - Self.graveLimit)
      defer { graves.removeFirst(surplus) }
      return Array(graves.prefix(surplus))
    }
    for region in old { unsafe munmap(region.base, region.size) }
    regions = []
  }
}

/// What a plugin must leave alone in its process.
struct ProcessFacts {
  private var facts: [(name: String, value: [UInt8])] = []

  init() {
    for number in Int32(1)...31 where number != SIGKILL && number != SIGSTOP {
      var action = sigaction()
      unsafe sigaction(number, nil, &action)
      // The handler is the first field; between the others lie bytes that say nothing.
      let handler = unsafe withUnsafeBytes(of: &action) { unsafe Array($0.prefix(8)) }
      facts.append(("the handler of signal \(number)", handler + Array("\(action.sa_flags)".utf8)))
    }
    var mask = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
    unsafe withUnsafeBytes(of: &mask) { unsafe facts.append(("the signal mask of its thread", Array($0))) }
    let old = umask(0o77)
    umask(old)
    facts.append(("the umask", Array(String(old, radix: 8).utf8)))
    facts.append(("the locale", unsafe setlocale(LC_ALL, nil).map { unsafe Array(String(cString: $0).utf8) } ?? []))
    var directory = [UInt8](repeating: 0, count: 4096)
    _ = unsafe directory.withUnsafeMutableBytes { unsafe getcwd($0.baseAddress?.assumingMemoryBound(to: CChar.self), 4096) }
    facts.append(("the working directory", directory))
    facts.append(("the environment", Self.environment()))
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    facts.append(("the limit of descriptors", Array("\(limit.rlim_cur)".utf8)))
  }

  func changes(since old: ProcessFacts) -> [String] {
    zip(facts, old.facts).filter { $0.value != $1.value }.map { $0.0.name }
  }

  private static func environment() -> [UInt8] {
    var bytes: [UInt8] = []
    var place = unsafe environ
    while let entry = unsafe place.pointee {
      unsafe bytes += Array(String(cString: entry).utf8) + [0]
      unsafe place += 1
    }
    return bytes
  }
}
