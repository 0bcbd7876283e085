// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// What a plugin in a child asks of its link's host, as messages.
extension LinkRelay: LinkServices {
  /// Bytes of a message to the far end in one packet.
  private static let part = 48 << 10

  /// Always taken: a far end that does not read is closed by the host.
  func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    var rest = bytes[...]
    repeat {
      let part = rest.prefix(Self.part)
      rest = rest.dropFirst(part.count)
      outlet.tell(.send(link: link, text: text, last: rest.isEmpty, Array(part)))
    } while !rest.isEmpty
    return .taken
  }

  func close(code: UInt16, reason: String) { outlet.tell(.shut(link: link, code: code, reason: reason)) }

  func timer(tag: UInt64, delay: Int64, period: Int64) {
    outlet.tell(.timer(link: link, tag: tag, delay: delay, period: period))
  }

  /// Perhaps from a thread of the plugin's, while no call runs: at once.
  func wake(tag: UInt64) { outlet.send(.wake(link: link, tag: tag)) }

  func completed(token: UInt64, _ result: CommandResult) -> Bool {
    outlet.send(.completed(link: link, token: token, result))
    return true
  }

  func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) {
    outlet.tell(.ask(link: link, device: device, ticket: ticket, tag: tag, kind: kind))
  }

  func tags() -> [UInt8] {
    guard case .value(let list) = questions.ask(.tags, link: link).answer else { return NoServices().tags() }
    return list
  }

  func record(device: UInt32, kind: String, document: [UInt8]) -> String? {
    sentence(questions.ask(.record(device: device, kind: kind, document: document), link: link).answer)
  }

  func request(device: String, point: String, value: Double?, valid: Int64) -> String? {
    sentence(questions.ask(.control(device: device, point: point, value: value, valid: valid), link: link).answer)
  }

  private func sentence(_ answer: HostMessage.Answer) -> String? {
    switch answer {
    case .done: nil
    case .failed(_, let text): text.isEmpty ? "the host did not take it" : text
    case .stream, .value, .nothing: "the host did not take it"
    }
  }
}
