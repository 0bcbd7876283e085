// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec

/// The first byte chooses what was asked, the rest is what comes, in pieces whose lengths the bytes choose too.
func fuzzMBAP(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  let request = requests[Int(first) % requests.count]
  var conversation = Conversation()
  _ = conversation.begin(request, unit: 1)
  feed(bytes.dropFirst()) { piece in
    switch try? conversation.receive(piece) {
    case .reply(let reply)?: check(reply, request)
    case .more?: return true
    case nil: break
    }
    return false
  }
}

let requests: [Request] = [
  .read(Address(.holding, 0), count: 1), .read(Address(.input, 40), count: 125), .read(Address(.coil, 3), count: 9),
  .writeCoil(1, true), .writeRegister(5, 0xABCD), .writeRegisters(7, [1, 2, 3]),
]

/// Calls `take` with pieces until it returns false.
func feed(_ bytes: ArraySlice<UInt8>, _ take: ([UInt8]) -> Bool) {
  var rest = bytes
  while let length = rest.first {
    let piece = rest.prefix(max(1, Int(length % 16)))
    rest = rest.dropFirst(piece.count)
    guard take(Array(piece)) else { return }
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
