// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Whole numbers that outlive the process however it ends, and not the machine: a file of the memory file system that
/// POSIX shared memory uses (shm_overview(7)). Writing costs a store to memory, no system call and no flash.
///
/// Not for several threads at a time: the owner locks.
@safe package final class SharedWords: @unchecked Sendable {
  private static let directory = "/dev/shm"

  package let count: Int
  private let path: String
  private let words: UnsafeMutablePointer<Int64>

  /// All 0 where there was no such file. Nil where it cannot be had, or belongs to somebody else.
  package init?(name: String, count: Int) {
    let path = "\(Self.directory)/\(name)"
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let size = count * MemoryLayout<Int64>.size
    var information = stat()
    guard unsafe fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
      information.st_uid == geteuid(), information.st_mode & 0o077 == 0, ftruncate(file, off_t(size)) == 0,
      let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), unsafe memory != MAP_FAILED
    else { return nil }
    self.count = count
    self.path = path
    unsafe words = memory.bindMemory(to: Int64.self, capacity: count)
  }

  deinit { unsafe munmap(words, count * MemoryLayout<Int64>.size) }

  package subscript(_ index: Int) -> Int64 {
    get {
      precondition((0..<count).contains(index))
      return unsafe words[index]
    }
    set {
      precondition((0..<count).contains(index))
      unsafe words[index] = newValue
    }
  }

  /// The next one of this name begins with 0.
  package func remove() { unsafe unlink(path) }
}
