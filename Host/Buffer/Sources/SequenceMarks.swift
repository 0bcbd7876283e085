// SPDX-License-Identifier: Apache-2.0

internal import BusbarSQLite
internal import BusbarSystem

/// How far each stream's numbers had come when the process was killed, so that only what is really lost is reported and
/// numbering goes on where it was. After a power cut, a reboot or a doubt there are none, and the block of numbers on
/// disk counts (`SequenceBlock`).
///
/// A token that is on disk and here says that the two belong together: a run that could not write marks leaves another
/// token on disk, and its successor does not believe what is older.
package final class SequenceMarks: Sendable {
  struct Mark: Sendable, Equatable {
    /// The last number that was given.
    var taken: Int64
    /// Up to here each was acknowledged, is on disk, or is reported on disk as a gap.
    var settled: Int64
  }

  /// "busbar" and the layout's version.
  private static let magic: Int64 = 0x6275_7362_6172_0001
  private static let head = 2
  /// Streams beyond this have none.
  private static let streams = 2047

  private let words: SharedWords

  /// Of this database. Nil where the system has no memory that outlives a process.
  package init?(database path: String) {
    guard let number = StateFiles.number(path),
      let words = SharedWords(name: "busbar-\(number)", count: Self.head + 2 * Self.streams)
    else { return nil }
    self.words = words
  }

  /// What was marked by the run that left this token.
  func marks(token: Int64) -> [Int64: Mark] {
    guard words[0] == Self.magic, words[1] == token, token != 0 else { return [:] }
    var marks: [Int64: Mark] = [:]
    for stream in 1...Self.streams {
      let taken = words[Self.head + 2 * (stream - 1)]
      if taken > 0 { marks[Int64(stream)] = Mark(taken: taken, settled: words[Self.head + 2 * (stream - 1) + 1]) }
    }
    return marks
  }

  /// Forgets all marks; those that follow belong to this token.
  func begin(token: Int64) {
    words[1] = 0
    for place in Self.head..<words.count where words[place] != 0 { words[place] = 0 }
    words[0] = Self.magic
    words[1] = token
  }

  /// `settled` is not believed without `taken`, which is why it comes first.
  func set(_ mark: Mark, of stream: Int64) {
    guard (1...Int64(Self.streams)).contains(stream) else { return }
    let place = Self.head + 2 * Int(stream - 1)
    words[place + 1] = mark.settled
    words[place] = mark.taken
  }

  /// After an orderly end there is nothing to remember.
  func remove() {
    words[1] = 0
    words.remove()
  }
}
