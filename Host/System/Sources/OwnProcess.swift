// SPDX-License-Identifier: Apache-2.0

internal import CSandbox
internal import Glibc

/// What a process asks of the system about itself.
package enum OwnProcess {
  /// As many open files as the system allows, 65,536 at most: each link needs a few, and so does each client of the API.
  package static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = min(limit.rlim_max, 65_536)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// The path of the running program; nil where the system does not tell.
  package static var executable: String? {
    var path = [UInt8](repeating: 0, count: 4096)
    let length = unsafe path.withUnsafeMutableBytes { bytes in
      let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress
      return unsafe base.map { unsafe readlink("/proc/self/exe", $0, bytes.count) } ?? -1
    }
    guard length > 0, length < path.count else { return nil }
    return String(decoding: path[..<length], as: UTF8.self)
  }

  /// Makes a directory that only this user can enter, or finds that it is one. Throws a sentence.
  package static func privateDirectory(_ path: String) throws(PrivateDirectoryError) {
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      throw PrivateDirectoryError(text: "\(path) cannot be made: \(systemError(errno))")
    }
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid(),
      facts.st_mode & 0o077 == 0
    else { throw PrivateDirectoryError(text: "\(path) is not a private directory of this user; remove it") }
  }

  package static var user: UInt32 { geteuid() }
}

package struct PrivateDirectoryError: Error, Sendable {
  package var text: String
}

extension OwnProcess {
  /// Whether standard error is the stream that `JOURNAL_STREAM` names, device and inode (systemd.exec(5)). A process that
  /// was given another standard error still has the variable.
  package static func logsToJournal(_ stream: String?) -> Bool {
    guard let stream else { return false }
    var facts = stat()
    guard unsafe fstat(STDERR_FILENO, &facts) == 0 else { return false }
    return stream == "\(facts.st_dev):\(facts.st_ino)"
  }
}

extension OwnProcess {
  /// Nobody but root can look into this process any more: not its memory, not with a debugger. It leaves no core file.
  package static func hide() { _ = busbar_hide_process() }

  /// Where this process crashes, the packet is sent first, with the most memory that it had, in bytes, in place of its last
  /// eight. Nothing where the system does not tell.
  package static func leaveLastWords(_ packet: [UInt8], socket: Int32) {
    _ = unsafe busbar_last_words(socket, packet, packet.count, packet.count - 8)
  }

  /// Whether a descriptor is a socket of packets, such as `ChildProcess` hands over.
  package static func isPacketSocket(_ number: Int32) -> Bool {
    var kind: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(number, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == Int32(SOCK_SEQPACKET.rawValue)
  }

  package static func end(_ code: Int32) -> Never { _exit(code) }
}

extension OwnProcess {
  /// `["TZ=…"]` where the environment names a time zone.
  package static var timeZone: [String] {
    guard let zone = unsafe getenv("TZ") else { return [] }
    return unsafe ["TZ=\(String(cString: zone))"]
  }
}
