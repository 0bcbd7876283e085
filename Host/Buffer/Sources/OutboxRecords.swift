// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// A sequence: one device's messages of one kind.
struct StreamKey: Hashable, Sendable {
  var device: DeviceID
  var kind: OutboundMessage.Stream
}

/// A message as it lies on disk.
struct OutboxRow: Sendable, Equatable {
  /// What a row costs on disk beside its payload: its head, its numbers and its entry in the index.
  static let overhead: Int64 = 64

  /// Counts up over all streams in the order of acceptance.
  var id: Int64
  /// The stream's row.
  var stream: Int64
  var seq: Int64
  /// When it was taken, Unix milliseconds.
  var time: Int64
  var payload: [UInt8]

  var cost: Int64 { Int64(payload.count) + Self.overhead }
}

/// A stream as it lies on disk.
struct StreamRecord: Sendable, Equatable {
  var id: Int64
  var key: StreamKey
  /// Up to here every number is acknowledged, reported or on disk.
  var settled: Int64
  /// Up to here numbers may have been taken.
  var reserved: Int64
}

/// A row that may be dropped.
struct OutboxCandidate: Sendable, Equatable {
  var id: Int64
  var stream: Int64
  var seq: Int64
  var time: Int64
  var cost: Int64
}

/// How much lies on disk.
struct OutboxTotals: Sendable, Equatable {
  var rows: Int64 = 0
  var bytes: Int64 = 0
  /// When the oldest was taken, Unix milliseconds.
  var oldest: Int64?
}

/// What is on disk at the start.
struct OutboxContents: Sendable {
  var streams: [StreamRecord] = []
  var gaps: [GapLedger.Item] = []
  var totals = OutboxTotals()
  /// The highest row's id.
  var last: Int64 = 0
  /// Where a new stream begins to count, 0 but after a loss of the sequences.
  var base: Int64 = 0
}

/// Everything that one transaction writes.
struct WritePlan: Sendable {
  var rows: [OutboxRow] = []
  var deletes: [(stream: Int64, numbers: NumberSet)] = []
  var streams: [StreamRecord] = []
  var gaps = GapLedger.Changes()
  /// It is the last one.
  var seals = false

  var isEmpty: Bool { rows.isEmpty && deletes.isEmpty && streams.isEmpty && gaps.isEmpty }
}

/// A queue of ids in rising order.
struct IDQueue: Sendable {
  private var ids: [Int64] = []
  private var head = 0

  var isEmpty: Bool { head == ids.count }
  var first: Int64? { isEmpty ? nil : ids[head] }
  var all: ArraySlice<Int64> { ids[head...] }

  mutating func append(_ id: Int64) { ids.append(id) }

  mutating func removeFirst() {
    head += 1
    guard head == ids.count || head >= 4096 else { return }
    ids.removeFirst(head)
    head = 0
  }

  mutating func removeAll(where condition: (Int64) -> Bool) {
    ids.removeFirst(head)
    head = 0
    ids.removeAll(where: condition)
  }
}
