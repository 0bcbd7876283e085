// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file of its owner alone that only grows.
package enum AppendFile {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String
  }

  /// Bytes; 0 where there is none.
  package static func size(_ path: String) throws(Failure) -> Int {
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0 else {
      guard errno == ENOENT else { throw failure(path) }
      return 0
    }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw Failure(description: "\(path) is no regular file") }
    return Int(facts.st_size)
  }

  /// On disk when it returns.
  package static func append(_ text: String, to path: String) throws(Failure) {
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw failure(path) }
    let descriptor = Descriptor(owning: number)
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      guard case .bytes(let written) = descriptor.write(rest), written > 0 else { throw failure(path) }
      rest = rest.dropFirst(written)
    }
    guard fdatasync(number) == 0 else { throw failure(path) }
  }

  /// What has the new name is gone. A file that is not there is no failure.
  package static func move(_ path: String, to other: String) throws(Failure) {
    guard unsafe rename(path, other) == 0 || errno == ENOENT else { throw failure(path) }
  }

  private static func failure(_ path: String) -> Failure { Failure(description: "\(path): \(systemError(errno))") }
}
