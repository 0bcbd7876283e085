// SPDX-License-Identifier: Apache-2.0

/// What a device answered in a trace, to be answered again. A request is known by its bytes, but for the transaction id
/// of Modbus TCP; where the same one was answered several times, the answers come in their order and then the last one
/// stays.
package struct Recording: Sendable {
  package enum Step: Equatable, Sendable {
    case sent([UInt8])
    case received([UInt8])
    /// Nothing, or no more, came for the request.
    case ended
    case closed
    /// Whoever asked did not wait for the end.
    case abandoned
  }

  package enum Answer: Equatable, Sendable {
    case reply([UInt8])
    case silence
    /// The connection ends after these bytes.
    case close([UInt8])
    /// The trace has no such request.
    case unknown
  }

  private struct Exchange: Sendable {
    var reply: [UInt8] = []
    var closes = false
    var transaction: UInt16 = 0
  }

  package let framing: WireFraming
  private var exchanges: [[UInt8]: [Exchange]] = [:]
  private var places: [[UInt8]: Int] = [:]

  /// Nil where no request of the steps is Modbus.
  package init?(_ steps: [Step]) {
    let first = steps.lazy.compactMap { step -> WireFraming? in
      if case .sent(let bytes) = step { WireFraming(request: bytes) } else { nil }
    }.first
    guard let first else { return nil }
    framing = first
    var open: (key: [UInt8], exchange: Exchange)?
    func close(_ isComplete: Bool) {
      guard let done = open else { return }
      open = nil
      // What was not waited for to the end is no silence.
      if isComplete || !done.exchange.reply.isEmpty { exchanges[done.key, default: []].append(done.exchange) }
    }
    for step in steps {
      switch step {
      case .sent(let bytes):
        close(true)
        open = (Self.key(bytes, first), Exchange(transaction: Self.transaction(bytes, first)))
      case .received(let bytes): open?.exchange.reply += bytes
      case .ended: close(true)
      case .closed:
        open?.exchange.closes = true
        close(true)
      case .abandoned: close(false)
      }
    }
    close(false)
  }

  /// How many different requests are known.
  package var count: Int { exchanges.count }

  package mutating func answer(to request: [UInt8]) -> Answer {
    let key = Self.key(request, framing)
    guard let known = exchanges[key] else { return .unknown }
    let place = places[key, default: 0]
    places[key] = min(place + 1, known.count - 1)
    let exchange = known[place]
    let shift = Self.transaction(request, framing) &- exchange.transaction
    let reply = framing == .mbap ? Self.shifted(exchange.reply, by: shift) : exchange.reply
    if exchange.closes { return .close(reply) }
    return reply.isEmpty ? .silence : .reply(reply)
  }

  private static func key(_ request: [UInt8], _ framing: WireFraming) -> [UInt8] {
    framing == .mbap ? Array(request.dropFirst(2)) : request
  }

  private static func transaction(_ request: [UInt8], _ framing: WireFraming) -> UInt16 {
    framing == .mbap && request.count > 1 ? UInt16(request[0]) << 8 | UInt16(request[1]) : 0
  }

  /// Every frame of the reply with its transaction id as far from the request's as it was: a late or wrong one stays so.
  /// What follows the last frame that can be told from garbage is left as it is.
  private static func shifted(_ reply: [UInt8], by shift: UInt16) -> [UInt8] {
    var bytes = reply
    var place = 0
    while place + 6 <= bytes.count, bytes[place + 2] == 0, bytes[place + 3] == 0 {
      let transaction = (UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])) &+ shift
      bytes[place] = UInt8(transaction >> 8)
      bytes[place + 1] = UInt8(transaction & 255)
      place += 6 + (Int(bytes[place + 4]) << 8 | Int(bytes[place + 5]))
    }
    return bytes
  }
}
