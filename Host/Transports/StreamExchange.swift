// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem

/// Sends a request and reads until there is enough: what `busbar.stream/1` does with a descriptor.
package enum StreamExchange {
  package enum Until: Sendable, Equatable {
    case length(Int)
    case byte(UInt8)
    /// At least one byte, then all that is there.
    case some
    /// Until nothing came for so many milliseconds; may end with none.
    case quiet(Int)
  }

  /// What was read is in `reply` also when it throws. `deadline` is on the boot clock.
  package static func run(
    _ descriptor: Descriptor, request: ArraySlice<UInt8>, until: Until, reply: inout [UInt8], capacity: Int,
    deadline: Int64, stop: CallSignal
  ) throws(TransportError) {
    try send(descriptor, request, deadline, stop)
    if case .length(let wanted) = until, wanted > capacity {
      throw TransportError(.noSpace, "\(wanted) bytes do not fit into a buffer of \(capacity)")
    }
    while !isEnough(reply, until) {
      guard reply.count < capacity else {
        if until == .some { return }
        throw TransportError(.noSpace, "the answer is longer than \(capacity) bytes")
      }
      var limit = deadline
      if case .quiet(let milliseconds) = until { limit = min(limit, Clock.boot() + Int64(milliseconds) * 1_000_000) }
      guard try wait(descriptor, .read, limit, stop) else {
        if case .quiet = until, limit < deadline { return }
        throw TransportError(.timeout, reply.isEmpty ? "no answer in time" : "only \(reply.count) bytes of the answer came in time")
      }
      let room = capacity - reply.count
      let wanted =
        switch until {
        case .length(let count): count - reply.count
        // What follows the byte belongs to the next answer.
        case .byte: 1
        case .some, .quiet: room
        }
      switch descriptor.read(into: &reply, upTo: min(wanted, room)) {
      case .bytes, .wouldBlock: break
      case .closed: throw TransportError(.closed, "the far end closed the connection")
      case .failed(let code): throw TransportError(.closed, "reading failed: \(systemError(code))")
      }
    }
  }

  /// Waits for a pause between requests; false where it was cut short.
  package static func pause(milliseconds: Int, deadline: Int64, stop: CallSignal) -> Bool {
    let end = Clock.boot() + Int64(milliseconds) * 1_000_000
    _ = Poll.wait([(stop.descriptor, .read)], until: min(end, deadline))
    return !stop.isSet && end <= deadline
  }

  private static func isEnough(_ reply: [UInt8], _ until: Until) -> Bool {
    switch until {
    case .length(let count): reply.count >= count
    case .byte(let byte): reply.last == byte
    case .some: !reply.isEmpty
    case .quiet: false
    }
  }

  private static func send(
    _ descriptor: Descriptor, _ request: ArraySlice<UInt8>, _ deadline: Int64, _ stop: CallSignal
  ) throws(TransportError) {
    var rest = request
    while !rest.isEmpty {
      switch descriptor.write(rest) {
      case .bytes(let sent): rest = rest.dropFirst(sent)
      case .wouldBlock:
        guard try wait(descriptor, .write, deadline, stop) else {
          throw TransportError(.timeout, "the request could not be sent in time")
        }
      case .closed: throw TransportError(.closed, "the far end closed the connection")
      case .failed(let code): throw TransportError(.closed, "sending failed: \(systemError(code))")
      }
    }
  }

  /// False where the time is over. What is ready counts before a cancellation, so that an answer is not thrown away.
  private static func wait(
    _ descriptor: Descriptor, _ interest: Poll.Interest, _ deadline: Int64, _ stop: CallSignal
  ) throws(TransportError) -> Bool {
    let ready = Poll.wait([(descriptor.number, interest), (stop.descriptor, .read)], until: deadline)
    if !ready[0].isEmpty { return true }
    if stop.isSet { throw TransportError(.cancelled, "the call was cancelled") }
    return false
  }
}
