// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Keeps small what a process of many threads holds without using it.
package enum OwnMemory {
  /// One heap for all threads. By default each busy thread gets one of its own (up to eight a core), and each keeps what
  /// its busiest moment needed. What is large is taken from the system and given back to it, instead of leaving a hole in
  /// the heap. Call before there are threads.
  package static func shareHeaps() {
    mallopt(M_ARENA_MAX, 1)
    mallopt(M_MMAP_THRESHOLD, 64 << 10)
    mallopt(M_TRIM_THRESHOLD, 128 << 10)
  }

  /// Gives back what only the start needed: pages of programs and libraries, which come back from the file when they are
  /// used, and free memory of the heaps.
  package static func releaseStart() { StartPages().release() }

  /// Gives back free memory of the heaps.
  package static func releaseHeaps() { malloc_trim(0) }

  /// What may be given back later, found while files can still be opened. Libraries that are there now have to stay.
  package struct StartPages: Sendable {
    private let ranges = cleanFilePages()

    package init() {}

    package func release() {
      for range in ranges { unsafe madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED) }
      releaseHeaps()
    }
  }

  /// Read-only parts of files in which this process has changed no page (a relocated page would not come back), from
  /// /proc/PID/smaps (proc(5)).
  private static func cleanFilePages() -> [Range<UInt>] {
    guard let text = text(of: "/proc/self/smaps") else { return [] }
    var found: [Range<UInt>] = []
    var candidate: Range<UInt>?
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if let range = Self.range(ofHead: line) {
        candidate = range.isReadOnlyFile ? range.addresses : nil
      } else if line.starts(with: Self.dirty), let range = candidate {
        // The line that follows tells whether it was changed, "Private_Dirty:         0 kB".
        if line.dropFirst(Self.dirty.count).drop(while: { $0 == UInt8(ascii: " ") }).first == UInt8(ascii: "0") {
          found.append(range)
        }
        candidate = nil
      }
    }
    return found
  }

  private static let dirty = Array("Private_Dirty:".utf8)

  /// "559a4c000000-559a4c021000 r-xp 00000000 08:01 1234   /usr/bin/busbar"; nil for other lines.
  private static func range(ofHead line: ArraySlice<UInt8>) -> (addresses: Range<UInt>, isReadOnlyFile: Bool)? {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: true)
    guard fields.count >= 5 else { return nil }
    let ends = fields[0].split(separator: UInt8(ascii: "-")).map { UInt(String(decoding: $0, as: UTF8.self), radix: 16) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low < high else { return nil }
    let rights = Array(fields[1])
    let isFile = fields.count == 6 && fields[5].first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "/")
    return (low..<high, isFile && rights.count == 4 && rights[0] == UInt8(ascii: "r") && rights[1] == UInt8(ascii: "-"))
  }

  private static func text(of file: String) -> [UInt8]? {
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? nil : text }
      text += block[..<count]
    }
  }
}
