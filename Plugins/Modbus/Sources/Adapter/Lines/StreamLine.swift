// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// Modbus over a byte stream, framed by our own codec: Modbus TCP, RTU over TCP, and ASCII over TCP or on a serial line.
final class StreamLine: Line {
  /// Bytes that are there before a request; more are no left-over answers.
  private static let capacity = 4_096

  private let link: Link
  private let stream: ByteStream
  private var conversation: Conversation
  /// Once the stream is out of step, nothing is sent on it any more.
  private var verdict: String?

  init(_ link: Link, _ stream: ByteStream, _ framing: WireFraming) {
    self.link = link
    self.stream = stream
    conversation = Conversation(framing)
  }

  func probe(before request: Request, unit: UInt8, _ call: borrowing Call) throws(LineFailure) -> Request? {
    guard conversation.framing != .mbap, verdict == nil else { return nil }
    try clear(call)
    return conversation.probe(before: request, unit: unit)
  }

  func forget(_ unit: UInt8) { conversation.forget(unit) }

  func perform(
    _ request: Request, unit: UInt8, within milliseconds: Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply {
    if let verdict { throw .garbage(verdict) }
    guard conversation.framing == .mbap || 1...247 ~= unit else { throw .unit(unit) }
    let end = BootClock.now + Int64(milliseconds) * 1_000_000
    try clear(call)
    var bytes = conversation.begin(request, unit: unit)
    while true {
      let left = Int((end - BootClock.now) / 1_000_000)
      let received: [UInt8]
      do {
        received = try stream.exchange(bytes, until: .some, within: max(0, left), call)
      } catch where error.isTimeout {
        throw unanswered(request, unit, milliseconds)
      } catch where error.isCancelled {
        throw .cancelled
      } catch {
        throw .lost(error)
      }
      bytes = []
      do {
        let foreign = conversation.foreignFrames
        let step = try conversation.receive(received)
        if conversation.foreignFrames > foreign {
          link.log(.debug, "unit \(unit): late or foreign answers discarded, \(conversation.foreignFrames) so far")
        }
        if case .reply(let reply) = step { return reply }
      } catch {
        switch error {
        case .mismatch: throw .mismatch("unit \(unit): the answer to the \(request) does not fit it")
        case .flood: throw broken("unit \(unit): answers to nothing that was asked, without end")
        case .garbage(.protocolID(let id)):
          throw broken("unit \(unit): what came is not Modbus TCP (protocol \(id), expected 0)")
        case .garbage(.length(let length)):
          throw broken("unit \(unit): what came is not Modbus TCP (length \(length), expected 2 to 254)")
        }
      }
      if BootClock.now >= end, received.isEmpty { throw unanswered(request, unit, milliseconds) }
    }
  }

  /// What is there before the request is sent answers nothing. Modbus TCP tells that by its transactions.
  private func clear(_ call: borrowing Call) throws(LineFailure) {
    guard conversation.framing != .mbap else { return }
    do {
      conversation.excess(try stream.exchange([], until: .quiet(0), capacity: Self.capacity, call))
    } catch where error.isCancelled {
      throw .cancelled
    } catch {
      throw .lost(error)
    }
  }

  private func unanswered(_ request: Request, _ unit: UInt8, _ milliseconds: Int) -> LineFailure {
    switch conversation.framing {
    case .mbap where conversation.isInsideFrame: broken("unit \(unit): the answer to the \(request) ended in the middle")
    case .rtu where conversation.sawSomethingElse, .ascii where conversation.sawSomethingElse:
      .mismatch("unit \(unit): what came within \(milliseconds) ms is damaged or no answer to the \(request)")
    default: .silent("unit \(unit): no answer to the \(request) within \(milliseconds) ms")
    }
  }

  private func broken(_ text: String) -> LineFailure {
    verdict = text
    return .garbage(text)
  }
}
