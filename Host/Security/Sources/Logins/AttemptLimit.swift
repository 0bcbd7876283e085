// SPDX-License-Identifier: Apache-2.0

/// Slows down whoever guesses: after some wrong attempts in a row none is looked at for a while. No I/O.
package struct AttemptLimit: Sendable {
  package static let free = 5
  /// Seconds of pause after the sixth wrong attempt; doubled with each further one.
  package static let firstPause: Int64 = 1
  package static let longestPause: Int64 = 300
  /// Names that are remembered; beyond, the one that has been quiet the longest is forgotten.
  package static let names = 4096

  private struct Record {
    var wrong: Int
    /// Boot clock, nanoseconds.
    var until: Int64
    var last: Int64
  }

  private var records: [String: Record] = [:]

  package init() {}

  /// Whether an attempt may be looked at now.
  package func admits(_ name: String, now: Int64) -> Bool { records[name].map { $0.until <= now } ?? true }

  /// How many were wrong in a row, this one included.
  @discardableResult
  package mutating func wrong(_ name: String, now: Int64) -> Int {
    if records.count >= Self.names, records[name] == nil, let quiet = records.min(by: { $0.value.last < $1.value.last }) {
      records[quiet.key] = nil
    }
    var record = records[name] ?? Record(wrong: 0, until: 0, last: 0)
    record.wrong += 1
    record.last = now
    if record.wrong > Self.free {
      let doubled = Self.firstPause << min(Int64(record.wrong - Self.free - 1), 16)
      record.until = now + min(doubled, Self.longestPause) * 1_000_000_000
    }
    records[name] = record
    return record.wrong
  }

  package mutating func right(_ name: String) { records[name] = nil }
}
