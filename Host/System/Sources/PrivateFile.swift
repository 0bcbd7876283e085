// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file that appears under its name when it is complete, or not at all, and that only its owner can read.
package final class PrivateFile {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String
  }

  private let path: String
  private let draft: String
  private var descriptor: Descriptor?

  /// Makes a draft beside the file. Throws a sentence.
  package init(_ path: String) throws(Failure) {
    self.path = path
    draft = "\(path).\(getpid()).part"
    let number = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw Failure(description: "\(path) cannot be written: \(systemError(errno))") }
    descriptor = Descriptor(owning: number)
  }

  /// What was not committed is removed.
  deinit { if descriptor != nil { unsafe unlink(draft) } }

  package func write(_ text: String) throws(Failure) {
    guard let descriptor else { return }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      switch descriptor.write(rest) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock: _ = Poll.wait([(descriptor.number, .write)], until: nil)
      case .closed: throw Failure(description: "\(path) cannot be written")
      case .failed(let code): throw Failure(description: "\(path) cannot be written: \(systemError(code))")
      }
    }
  }

  /// On disk, and in the place of what had the name before.
  package func commit() throws(Failure) {
    guard let descriptor else { return }
    guard fsync(descriptor.number) == 0, unsafe rename(draft, path) == 0 else {
      throw Failure(description: "\(path) cannot be written: \(systemError(errno))")
    }
    self.descriptor = nil
  }
}
