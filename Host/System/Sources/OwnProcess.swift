// SPDX-License-Identifier: Apache-2.0

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
