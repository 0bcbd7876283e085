// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What leaves the buffer: one message that the broker, or the receiver behind it, has to acknowledge.
package struct OutboundMessage: Sendable, Equatable {
  /// Which of a device's sequences the message counts in. Each has numbers of its own.
  package enum Stream: String, Sendable, CaseIterable {
    case telemetry, alarms
    /// Charging sessions; other records.
    case sessions, records
  }

  /// Names the message towards the queue.
  package var ticket: UInt64
  package var device: DeviceID
  package var stream: Stream
  /// The whole payload, `late` already in it where it belongs.
  package var payload: [UInt8]
  /// Nothing newer of its sequence was taken so far.
  package var isNewest: Bool

  package init(ticket: UInt64, device: DeviceID, stream: Stream, payload: [UInt8], isNewest: Bool = false) {
    self.isNewest = isNewest
    self.ticket = ticket
    self.device = device
    self.stream = stream
    self.payload = payload
  }
}

/// Numbers that will never come (interfaces 3.1).
package struct Gap: Sendable, Equatable {
  package enum Reason: String, Sendable, Codable, CaseIterable {
    case quota, crash, clock, thinned
  }

  package var device: DeviceID
  package var stream: OutboundMessage.Stream
  package var from: Int64
  package var to: Int64
  package var reason: Reason

  package init(device: DeviceID, stream: OutboundMessage.Stream, from: Int64, to: Int64, reason: Reason) {
    self.device = device
    self.stream = stream
    self.from = from
    self.to = to
    self.reason = reason
  }
}

/// Writes payloads. Every payload is a JSON object that starts with `{"ts":`; a late one is made from it by putting
/// `"late":true,` behind the brace.
package protocol MessageEncoder: Sendable {
  func telemetry(_ reading: Reading, seq: Int64) -> [UInt8]
  func alarm(_ alarm: Alarm, seq: Int64) -> [UInt8]
  func record(_ record: Record, seq: Int64) -> [UInt8]
  /// `time` in Unix milliseconds.
  func gap(_ gap: Gap, time: Int64) -> [UInt8]
}

/// The end of the buffer that the uplink takes from. One consumer; all calls return at once.
package protocol OutboundQueue: Sendable {
  /// The next message to publish: live ones first, then reports of gaps, then the backlog in the order of acceptance,
  /// of which at most `late` are under way at a time. Nil = nothing now; `onWork` tells when to ask again.
  func next(late: Int) -> OutboundMessage?
  /// The broker has it (PUBACK). With application acknowledgement this alone removes nothing.
  func acknowledged(_ ticket: UInt64)
  /// The broker refused it: it stays, and is offered again after a pause of the queue's choosing.
  func refused(_ ticket: UInt64)
  /// The connection is gone: what is under way is unacknowledged and comes again, late.
  func connectionLost()
  /// The receiver has these numbers safely (interfaces 3.6). What was never published is not removed.
  func applicationAcknowledged(device: DeviceID, ranges: [ClosedRange<Int64>])
  /// Called, from any thread, when there may be something to take.
  func onWork(_ wake: @escaping @Sendable () -> Void)
}

/// What is waiting (interfaces 3.5).
package struct BufferStatus: Sendable, Equatable, Codable {
  /// Messages accepted and not yet acknowledged, in memory and on disk.
  package var messages: Int
  package var bytes: Int64
  /// When the oldest of them was taken, Unix milliseconds.
  package var oldest: Int64?
  /// Dropped since the start, by quota.
  package var dropped: Int
  /// A sentence where the buffer cannot write, else nil.
  package var problem: String?

  package init(messages: Int, bytes: Int64, oldest: Int64?, dropped: Int, problem: String?) {
    self.messages = messages
    self.bytes = bytes
    self.oldest = oldest
    self.dropped = dropped
    self.problem = problem
  }
}
