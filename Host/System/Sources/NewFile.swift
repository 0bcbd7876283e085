// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Writes whole files with the mode that they are to have, whatever the umask.
package enum NewFile {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String
  }

  /// Fails where something has the name already.
  package static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws(Failure) {
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard number >= 0 else {
      throw Failure(description: errno == EEXIST ? "\(path) exists already; nothing was changed" : failure(path))
    }
    let descriptor = Descriptor(owning: number)
    var rest = bytes[...]
    while !rest.isEmpty {
      guard case .bytes(let written) = descriptor.write(rest), written > 0 else {
        unsafe unlink(path)
        throw Failure(description: failure(path))
      }
      rest = rest.dropFirst(written)
    }
    guard fchmod(number, mode) == 0, fsync(number) == 0 else { throw Failure(description: failure(path)) }
  }

  /// In one step: whoever reads sees the old file or the new one.
  package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32) throws(Failure) {
    let draft = "\(path).\(getpid()).part"
    unsafe unlink(draft)
    try write(bytes, to: draft, mode: mode)
    guard unsafe rename(draft, path) == 0 else {
      defer { unsafe unlink(draft) }
      throw Failure(description: failure(path))
    }
  }

  private static func failure(_ path: String) -> String { "\(path) cannot be written: \(systemError(errno))" }
}
