// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the file system refused, in words for a person.
package struct StateFileError: Error, Sendable, Equatable, CustomStringConvertible {
  package let path: String
  package let sentence: String

  package var description: String { sentence }

  init(_ path: String, _ action: String, _ code: Int32) {
    let reason = unsafe String(cString: strerror(code))
    self.path = path
    self.sentence = "\(path): \(action) failed: \(reason); check that it exists and who owns it"
  }

  init(locked path: String) {
    self.path = path
    self.sentence = "\(path): another busbar runs with this state directory; end it, or set host.state to another one"
  }
}

/// The few calls on files around the database, all of them for the owner alone.
package enum StateFiles {
  /// Makes the directory with mode 0700, and its parents where they are missing.
  package static func makeDirectory(_ path: String) throws(StateFileError) {
    if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeDirectory(String(path[..<slash]))
      if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    }
    throw StateFileError(path, "making the directory", errno)
  }

  /// Makes the file where it is missing, and takes it from everybody but its owner. Must not be called while SQLite has
  /// the file open in this process: closing it here would drop SQLite's locks (sqlite.org/howtocorrupt.html, 2.2).
  package static func makePrivate(_ path: String) throws(StateFileError) {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StateFileError(path, "opening", errno) }
    defer { close(file) }
    guard fchmod(file, 0o600) == 0 else { throw StateFileError(path, "setting its mode", errno) }
  }

  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// The file's length in bytes; 0 where there is none.
  package static func size(_ path: String) -> Int64 {
    var information = stat()
    return unsafe stat(path, &information) == 0 ? Int64(information.st_size) : 0
  }

  /// What tells the file from all others of the machine; nil where there is none.
  package static func number(_ path: String) -> String? {
    var information = stat()
    guard unsafe stat(path, &information) == 0 else { return nil }
    return "\(String(information.st_dev, radix: 16))-\(String(information.st_ino, radix: 16))"
  }

  /// Bytes that are free for this user on the file system of the path, and all that it has; nil where it cannot tell.
  package static func space(_ path: String) -> (free: Int64, total: Int64)? {
    var information = statvfs()
    guard unsafe statvfs(path, &information) == 0 else { return nil }
    let block = Int64(clamping: information.f_frsize)
    let free = Int64(clamping: information.f_bavail).multipliedReportingOverflow(by: block)
    let total = Int64(clamping: information.f_blocks).multipliedReportingOverflow(by: block)
    return free.overflow || total.overflow ? nil : (free.partialValue, total.partialValue)
  }

  /// Gives a file another name; a missing one is not an error.
  package static func move(_ path: String, to target: String) throws(StateFileError) {
    guard unsafe rename(path, target) == 0 || errno == ENOENT else { throw StateFileError(path, "moving aside", errno) }
  }

  package static func remove(_ path: String) { unsafe unlink(path) }

  /// The names in a directory that begin so, sorted.
  package static func names(in directory: String, prefix: String) -> [String] {
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(prefix) { names.append(name) }
    }
    return names.sorted()
  }
}

/// Keeps a second host away from the same state: two of them would give the same numbers twice. Held until it is let go
/// or the process ends, however it ends.
package final class StateLock: Sendable {
  private let file: Int32

  package init(path: String) throws(StateFileError) {
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw StateFileError(path, "opening", errno) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(file)
      throw code == EWOULDBLOCK ? StateFileError(locked: path) : StateFileError(path, "locking", code)
    }
    self.file = file
  }

  deinit {
    // Given back by name: a child that was forked and has not yet called exec holds the file open too.
    flock(file, LOCK_UN)
    close(file)
  }
}
