// SPDX-License-Identifier: Apache-2.0

/// Request and reply over a byte stream, one at a time: finds the reply to the request among what comes.
package struct Conversation: Sendable {
  package enum Step: Equatable, Sendable {
    case more
    case reply(Reply)
  }

  package enum Failure: Error, Equatable, Sendable {
    /// The stream is out of step; the connection is of no more use.
    case garbage(FrameReader.Garbage)
    /// So much that nobody asked for came that the far end cannot be a Modbus device.
    case flood
    /// The answer to this request came and makes no sense; the stream is still in step.
    case mismatch
  }

  /// Late answers after a few time-outs are normal; more than these while waiting once are not.
  private static let foreignFramesAtOnce = 64
  /// More than so many bytes while waiting once are no answer.
  private static let bytesAtOnce = 32_768

  package let framing: WireFraming
  private var mbap = FrameReader()
  private var rtu = RTUFrameReader()
  private var ascii = ASCIIFrameReader()
  private var late = LateAnswers()
  private var transaction: UInt16 = 0
  private var unit: UInt8 = 0
  private var request = Request.read(Address(.holding, 0), count: 1)
  private var isOpen = false
  private var foreignNow = 0
  private var bytesNow = 0
  /// Frames that answered something else: late answers, other units.
  package private(set) var foreignFrames = 0

  package init(_ framing: WireFraming = .mbap) { self.framing = framing }

  /// A reply has begun and is not complete.
  package var isInsideFrame: Bool {
    switch framing {
    case .mbap: mbap.isInside
    case .rtu: rtu.isInside
    case .ascii: ascii.isInside
    }
  }

  /// Something came since the request, and nothing that answers it.
  package var sawSomethingElse: Bool { bytesNow > 0 }

  /// What has to be asked before this request, so that no late answer is taken for its own.
  package mutating func probe(before request: Request, unit: UInt8) -> Request? {
    settle()
    return framing == .mbap ? nil : late.probe(before: request, unit: unit)
  }

  /// The unit will not answer what it has not answered yet.
  package mutating func forget(_ unit: UInt8) {
    settle()
    late.forget(unit)
  }

  /// What came after the last answer, before the next request.
  package mutating func excess(_ bytes: [UInt8]) {
    guard framing != .mbap, !bytes.isEmpty else { return }
    settle()
    late.unanswered(request, unit: unit)
  }

  /// The bytes to send.
  package mutating func begin(_ request: Request, unit: UInt8) -> [UInt8] {
    settle()
    transaction &+= 1
    foreignNow = 0
    bytesNow = 0
    self.unit = unit
    self.request = request
    isOpen = true
    return framing.frame(unit: unit, pdu: request.pdu, transaction: transaction)
  }

  /// Takes what came, in pieces of any size.
  package mutating func receive(_ bytes: [UInt8]) throws(Failure) -> Step {
    bytesNow += bytes.count
    return framing == .mbap ? try receiveNumbered(bytes) : try receiveUnnumbered(bytes)
  }

  private mutating func receiveNumbered(_ bytes: [UInt8]) throws(Failure) -> Step {
    mbap.append(bytes)
    while true {
      let frame: FrameReader.Frame
      do {
        guard let next = try mbap.next() else { return .more }
        frame = next
      } catch {
        throw .garbage(error)
      }
      guard frame.transaction == transaction, frame.unit == unit else {
        try countForeign()
        continue
      }
      isOpen = false
      guard let reply = Reply(frame.pdu, to: request) else { throw .mismatch }
      return .reply(reply)
    }
  }

  private mutating func receiveUnnumbered(_ bytes: [UInt8]) throws(Failure) -> Step {
    guard bytesNow <= Self.bytesAtOnce else { throw .flood }
    rtu.append(framing == .rtu ? bytes : [])
    ascii.append(framing == .ascii ? bytes : [])
    while let frame = framing == .rtu ? rtu.next(unit: unit, function: request.function) : ascii.next() {
      if frame.unit == unit, let reply = Reply(frame.pdu, to: request) {
        isOpen = false
        late.answered(request, unit: unit)
        return .reply(reply)
      }
      // Without a number a frame that does not fit is the late answer to something else.
      try countForeign()
    }
    return .more
  }

  private mutating func countForeign() throws(Failure) {
    foreignFrames += 1
    foreignNow += 1
    if foreignNow > Self.foreignFramesAtOnce { throw .flood }
  }

  /// Before anything new begins: what is missing of the last request, or came beyond its answer, may still disturb.
  private mutating func settle() {
    guard framing != .mbap else { return }
    let isMore = framing == .rtu ? rtu.clear() : ascii.clear()
    if isOpen || isMore { late.unanswered(request, unit: unit) }
    isOpen = false
  }
}
