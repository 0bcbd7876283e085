// SPDX-License-Identifier: Apache-2.0

extension LinkEvent: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .opened(let peer):
      message.put(UInt8(1))
      message.put(peer)
    case .message(let text, let bytes):
      message.put(UInt8(2))
      message.put(text)
      message.put(data: bytes)
    case .closed(let code, let reason):
      message.put(UInt8(3))
      message.put(code)
      message.put(cut(reason, EventLimit.reason))
    case .timer(let tag):
      message.put(UInt8(4))
      message.put(tag)
    case .wake(let tag):
      message.put(UInt8(5))
      message.put(tag)
    case .verdict(let ticket, let answer):
      message.put(UInt8(6))
      message.put(ticket)
      message.put(answer.verdict)
      message.put(cut(answer.group, EventLimit.tag))
      message.put(answer.expires)
    case .listChanged: message.put(UInt8(7))
    case .abandoned(let token):
      message.put(UInt8(8))
      message.put(token)
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .opened(try message.field())
    case 2: self = .message(text: try message.field(), try message.data(EventLimit.message))
    case 3: self = .closed(code: try message.integer(), reason: try message.text(EventLimit.reason))
    case 4: self = .timer(tag: try message.integer())
    case 5: self = .wake(tag: try message.integer())
    case 6:
      self = .verdict(
        ticket: try message.integer(),
        TagAnswer(
          verdict: try message.integer(), group: try message.text(EventLimit.tag), expires: try message.field()))
    case 7: self = .listChanged
    case 8: self = .abandoned(token: try message.integer())
    default: throw MessageError(what: "an event that is none")
    }
  }
}

extension SocketPeer: MessageField {
  package func write(to message: inout MessageWriter) {
    for text in [identity, subprotocol, address, subject, fingerprint, ski] { message.put(cut(text, TextLimit.identity)) }
    message.put(trust.rawValue)
    message.put(tls)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self.init(
      identity: try message.text(TextLimit.identity), subprotocol: try message.text(TextLimit.identity),
      address: try message.text(TextLimit.identity))
    subject = try message.text(TextLimit.identity)
    fingerprint = try message.text(TextLimit.identity)
    ski = try message.text(TextLimit.identity)
    guard let trust = Trust(rawValue: try message.integer()) else { throw MessageError(what: "a trust that is none") }
    self.trust = trust
    tls = try message.field()
  }
}
