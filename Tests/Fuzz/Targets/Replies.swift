// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec

/// The first byte chooses what was asked, the rest is what comes, in pieces whose lengths the bytes choose too. Without
/// transaction ids a piece may be made a whole frame, because nobody finds a sum by chance; and requests that stay unanswered
/// are followed by others, as a host does.
func fuzzReplies(_ bytes: [UInt8], _ framing: WireFraming) {
  guard let first = bytes.first else { return }
  var conversation = Conversation(framing)
  var request = requests[Int(first) % requests.count]
  _ = conversation.begin(request, unit: 1)
  feed(bytes.dropFirst()) { length, piece in
    if framing != .mbap, length >= 0xF0 {
      request = requests[Int(length) % requests.count]
      if let probe = conversation.probe(before: request, unit: 1) {
        precondition(!probe.isWrite && probe != request, "a probe that looks like the request")
        request = probe
      }
      _ = conversation.begin(request, unit: 1)
    }
    let whole = framing != .mbap && length & 0x80 != 0
    switch try? conversation.receive(whole ? framing.frame(unit: 1, pdu: piece) : piece) {
    case .reply(let reply)?:
      check(reply, request)
      // The next one may be answered by what is still there.
      guard framing != .mbap else { return false }
      _ = conversation.begin(request, unit: 1)
      return true
    case .more?: return true
    case nil: return false
    }
  }
}

let requests: [Request] = [
  .read(Address(.holding, 0), count: 1), .read(Address(.input, 40), count: 125), .read(Address(.coil, 3), count: 9),
  .writeCoil(1, true), .writeRegister(5, 0xABCD), .writeRegisters(7, [1, 2, 3]),
]

/// Calls `take` with each piece and the byte that chose its length, until it returns false.
func feed(_ bytes: ArraySlice<UInt8>, _ take: (UInt8, [UInt8]) -> Bool) {
  var rest = bytes
  while let length = rest.first {
    let piece = rest.prefix(max(1, Int(length % 16)))
    rest = rest.dropFirst(piece.count)
    guard take(length, Array(piece)) else { return }
  }
}

/// A reply fits its request.
func check(_ reply: Reply, _ request: Request) {
  switch (reply, request) {
  case (.values(let words), .read(let address, let count)):
    precondition(words.count == count, "\(words.count) values for \(count) asked")
    precondition(!address.table.isBits || words.allSatisfy { $0 < 2 }, "bits beyond 0 and 1")
  case (.exception(let code), _): precondition(code != 0, "exception 0")
  case (.written, .writeCoil), (.written, .writeRegister), (.written, .writeRegisters): break
  default: preconditionFailure("a reply of another kind than asked")
  }
}
