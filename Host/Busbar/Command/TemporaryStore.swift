// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Glibc

/// Where commands without a state directory keep their private copies of plugins.
enum TemporaryStore {
  /// A directory of this user's own, used again by the next command; other users cannot enter it.
  static func make() throws -> String {
    let path = "\(ProcessEnvironment.value("TMPDIR") ?? "/tmp")/busbar-plugins-\(geteuid())"
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      throw CommandFailure("\(path) cannot be made: \(systemError(errno))")
    }
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid(),
      facts.st_mode & 0o077 == 0
    else { throw CommandFailure("\(path) is not a private directory of this user; remove it") }
    return path
  }
}

enum ProcessEnvironment {
  static func value(_ name: String) -> String? {
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
  }
}
