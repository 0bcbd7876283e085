// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// Modbus over a byte stream with MBAP frames.
final class TCPLine: Line {
  private let link: Link
  private let stream: ByteStream
  private var conversation = Conversation()
  /// Once the stream is out of step, nothing is sent on it any more.
  private var verdict: String?

  init(_ link: Link, _ stream: ByteStream) {
    self.link = link
    self.stream = stream
  }

  func perform(
    _ request: Request, unit: UInt8, within milliseconds: Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply {
    if let verdict { throw .garbage(verdict) }
    let end = BootClock.now + Int64(milliseconds) * 1_000_000
    var bytes = conversation.begin(request, unit: unit)
    while true {
      let left = Int((end - BootClock.now) / 1_000_000)
      let received: [UInt8]
      do {
        received = try stream.exchange(bytes, until: .some, within: max(0, left), call)
      } catch where error.isTimeout {
        if conversation.isInsideFrame {
          throw broken("unit \(unit): the answer to the \(request) ended in the middle")
        }
        throw .silent("unit \(unit): no answer to the \(request) within \(milliseconds) ms")
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
      if BootClock.now >= end, received.isEmpty {
        throw .silent("unit \(unit): no answer to the \(request) within \(milliseconds) ms")
      }
    }
  }

  private func broken(_ text: String) -> LineFailure {
    verdict = text
    return .garbage(text)
  }
}
