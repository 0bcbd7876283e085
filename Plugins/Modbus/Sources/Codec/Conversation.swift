// SPDX-License-Identifier: Apache-2.0

/// Request and reply over TCP, one at a time: finds the reply to the request among what comes.
package struct Conversation: Sendable {
  package enum Step: Equatable, Sendable {
    case more
    case reply(Reply)
  }

  package enum Failure: Error, Equatable, Sendable {
    /// The stream is out of step; the connection is of no more use.
    case garbage(FrameReader.Garbage)
    /// So many frames that nobody asked for came that the far end cannot be a Modbus device.
    case flood
    /// The answer to this request came and makes no sense; the stream is still in step.
    case mismatch
  }

  /// Late answers after a few time-outs are normal; more than these while waiting once are not.
  private static let foreignFramesAtOnce = 64

  private var reader = FrameReader()
  private var transaction: UInt16 = 0
  private var unit: UInt8 = 0
  private var request = Request.read(Address(.holding, 0), count: 1)
  private var foreignNow = 0
  /// Frames that answered something else: late answers, other units.
  package private(set) var foreignFrames = 0

  package init() {}

  /// A reply has begun and is not complete.
  package var isInsideFrame: Bool { reader.isInside }

  /// The bytes to send.
  package mutating func begin(_ request: Request, unit: UInt8) -> [UInt8] {
    transaction &+= 1
    foreignNow = 0
    self.unit = unit
    self.request = request
    return FrameReader.frame(transaction: transaction, unit: unit, pdu: request.pdu)
  }

  /// Takes what came, in pieces of any size.
  package mutating func receive(_ bytes: [UInt8]) throws(Failure) -> Step {
    reader.append(bytes)
    while true {
      let frame: FrameReader.Frame
      do {
        guard let next = try reader.next() else { return .more }
        frame = next
      } catch {
        throw .garbage(error)
      }
      guard frame.transaction == transaction, frame.unit == unit else {
        foreignFrames += 1
        foreignNow += 1
        if foreignNow > Self.foreignFramesAtOnce { throw .flood }
        continue
      }
      guard let reply = Reply(frame.pdu, to: request) else { throw .mismatch }
      return .reply(reply)
    }
  }
}
