// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Regular files that fit into memory many times over: certificates, keys.
package enum SmallFile {
  /// Tells one state of a file from another without reading it.
  package struct Stamp: Sendable, Hashable {
    package var inode: UInt64
    package var size: Int64
    /// Of the last change, Unix time in nanoseconds.
    package var time: Int64
  }

  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// errno; 0 where the file is no regular one or too long.
    package var code: Int32
    /// `PATH cannot be read: …`.
    package var description: String
  }

  /// At most `limit` bytes; a longer file is refused.
  package static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard number >= 0 else { throw Failure(path, errno) }
    let descriptor = Descriptor(owning: number)
    var information = Glibc.stat()
    guard unsafe fstat(number, &information) == 0 else { throw Failure(path, errno) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw Failure(code: 0, description: "\(path) cannot be read: it is no file")
    }
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      switch descriptor.read(into: &bytes, upTo: 65_536) {
      case .bytes: continue
      case .closed, .wouldBlock: return bytes
      case .failed(let code): throw Failure(path, code)
      }
    }
    throw Failure(code: 0, description: "\(path) is longer than \(limit) bytes, which no certificate or key is")
  }

  /// Nil where there is no such file.
  package static func stamp(_ path: String) -> Stamp? {
    var information = Glibc.stat()
    guard unsafe stat(path, &information) == 0 else { return nil }
    let time = Int64(information.st_mtim.tv_sec) * 1_000_000_000 + Int64(information.st_mtim.tv_nsec)
    return Stamp(inode: UInt64(information.st_ino), size: Int64(information.st_size), time: time)
  }
}

extension SmallFile.Failure {
  init(_ path: String, _ code: Int32) {
    self.init(code: code, description: "\(path) cannot be read: \(systemError(code))")
  }
}
