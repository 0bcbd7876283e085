// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Foundation

/// Where commands without a state directory keep their private copies of plugins.
enum TemporaryStore {
  /// A directory of this user's own, used again by the next command; other users cannot enter it.
  static func make() throws -> String {
    let path = "\(ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp")/busbar-plugins-\(OwnProcess.user)"
    do throws(PrivateDirectoryError) { try OwnProcess.privateDirectory(path) } catch { throw CommandFailure(error.text) }
    return path
  }
}
