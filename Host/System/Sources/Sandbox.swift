// SPDX-License-Identifier: Apache-2.0

internal import CSandbox
internal import Glibc

/// What a process that runs a plugin may still use.
package struct SandboxRules: Equatable, Sendable {
  /// User and group that it becomes; nil = it stays who it is.
  package var user: UInt32?
  package var group: UInt32?
  /// Bytes of memory of its own (RLIMIT_DATA).
  package var memory: UInt64
  /// Highest version of Landlock that is used, as far as the system has it; 0 = none at all.
  package var landlock: UInt32
  /// Without Landlock it runs all the same, able to read what its user can.
  package var allowWeak: Bool

  package init(user: UInt32? = nil, group: UInt32? = nil, memory: UInt64, landlock: UInt32 = 6, allowWeak: Bool = false) {
    self.user = user
    self.group = group
    self.memory = memory
    self.landlock = landlock
    self.allowWeak = allowWeak
  }
}

package struct SandboxFailure: Error, Sendable, Equatable {
  /// A sentence.
  package var text: String
}

/// The sandbox that this process enters, once and for good.
package enum Sandbox {
  /// Descriptors of a child stay below this number: libraries that use select(2) abort beyond it.
  private static let descriptors: UInt64 = 1024
  /// Threads of a user of its own.
  private static let threads: UInt64 = 256

  /// Before any thread but this one exists. `readable` may be read, besides the places of shared libraries.
  package static func enter(_ rules: SandboxRules, readable: Int32) throws(SandboxFailure) {
    // Rules are for the thread that makes them and those that it starts.
    guard ownThreads == 1 else { throw SandboxFailure(text: "the child has \(ownThreads) threads before its sandbox") }
    writeOwn("/proc/self/oom_score_adj", "500")
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
    // A session of its own: the scheduler shares the processors among sessions first (sched(7), autogroup), so that a
    // plugin with a hundred busy threads weighs as much as one with one.
    setsid()
    let files = try landlock(rules, readable)
    if let user = rules.user, let group = rules.group, busbar_become(user, group) != 0 {
      throw failure("it cannot become user \(user)")
    }
    // After the change of user, which would undo it.
    guard busbar_end_with_parent() == 0 else { throw failure("it cannot be tied to its host") }
    guard busbar_no_new_privileges() == 0 else { throw failure("it cannot give up privileges") }
    guard busbar_limit_data(rules.memory) == 0, busbar_limit_descriptors(descriptors) == 0, busbar_limit_cores() == 0,
      busbar_limit_locked() == 0, busbar_limit_queued() == 0,
      busbar_small_stacks() == 0
    else { throw failure("it cannot be limited") }
    if rules.user != nil, busbar_limit_threads(threads) != 0 { throw failure("its threads cannot be limited") }
    if let files, busbar_landlock_enter(files.number) != 0 { throw failure("Landlock cannot be entered") }
    guard busbar_seccomp_enter() == 0 else { throw failure("system calls cannot be filtered") }
  }

  /// Once the plugin is loaded: no file can be opened any more.
  package static func closeFiles() throws(SandboxFailure) {
    guard busbar_seccomp_close_files() == 0 else { throw failure("system calls cannot be filtered") }
  }

  /// The user `busbar-plugin` where there is one; else, for root, one of those that systemd gives away for a while
  /// (systemd.exec(5), DynamicUser=), each plugin its own. Nil where this process cannot become another user.
  package static func user(for plugin: String) -> (user: UInt32, group: UInt32)? {
    guard geteuid() == 0 else { return nil }
    var user: UInt32 = 0
    var group: UInt32 = 0
    if unsafe busbar_find_user("busbar-plugin", &user, &group) == 1, user != 0 { return (user, group) }
    // FNV-1a: the same number at each start.
    let hash = plugin.utf8.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let number = 61_184 + hash % (65_519 - 61_184 + 1)
    return (number, number)
  }

  /// Which version of Landlock the system has; 0 = none.
  package static var landlockVersion: Int { Int(busbar_landlock_version()) }

  private static func landlock(_ rules: SandboxRules, _ readable: Int32) throws(SandboxFailure) -> Descriptor? {
    let version = min(Int(rules.landlock), landlockVersion)
    guard version >= 1 else {
      if rules.allowWeak { return nil }
      throw SandboxFailure(
        text: "this system has no Landlock (Linux 5.13 and later, with landlock in the list of CONFIG_LSM or lsm=), which keeps a "
          + "plugin from the host's files; set plugins.allow_weak_sandbox: true to run it without, or plugins.isolation: host")
    }
    let number = busbar_landlock_create(Int32(version))
    guard number >= 0 else { throw failure("Landlock cannot be used") }
    let files = Descriptor(owning: number)
    for directory in libraryDirectories { try allow(files, directory, BUSBAR_LANDLOCK_READ_FILE | BUSBAR_LANDLOCK_READ_DIRECTORY) }
    try allow(files, "/etc/ld.so.cache", BUSBAR_LANDLOCK_READ_FILE)
    guard busbar_landlock_allow(number, readable, BUSBAR_LANDLOCK_READ_FILE) == 0 else {
      throw failure("the plugin's file cannot be let in")
    }
    return files
  }

  /// What is not there needs no rule.
  private static func allow(_ files: Descriptor, _ path: String, _ rights: UInt64) throws(SandboxFailure) {
    let place = unsafe busbar_open_path(path)
    guard place >= 0 else { return }
    defer { close(place) }
    guard busbar_landlock_allow(files.number, place, rights) == 0 else { throw failure("\(path) cannot be let in") }
  }

  /// Where the system has libraries, and where those come from that this process has (the Swift runtime).
  private static var libraryDirectories: Set<String> {
    var found: Set<String> = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"]
    for line in text(of: "/proc/self/maps").split(separator: "\n") {
      guard let slash = line.firstIndex(of: "/"), line.contains(".so") else { continue }
      let path = line[slash...]
      guard let end = path.lastIndex(of: "/"), end > path.startIndex, path[end...].contains(".so") else { continue }
      found.insert(String(path[..<end]))
    }
    return found
  }

  private static var ownThreads: Int {
    guard let line = text(of: "/proc/self/status").split(separator: "\n").first(where: { $0.hasPrefix("Threads:") }) else { return 1 }
    return Int(line.dropFirst(8).drop { $0 == "\t" || $0 == " " }) ?? 1
  }

  private static func text(of file: String) -> String {
    let number = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return "" }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    while bytes.count < 1 << 20, case .bytes = descriptor.read(into: &bytes, upTo: 16_384) {}
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func writeOwn(_ file: String, _ text: String) {
    let number = unsafe open(file, O_WRONLY | O_CLOEXEC)
    guard number >= 0 else { return }
    _ = Descriptor(owning: number).write(Array(text.utf8)[...])
  }

  private static func failure(_ what: String) -> SandboxFailure { SandboxFailure(text: "\(what): \(systemError(errno))") }
}
