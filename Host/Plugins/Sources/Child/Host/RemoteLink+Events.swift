// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Synchronization

/// A message to the far end that comes in parts.
struct Assembly: Sendable {
  var text = false
  var bytes: [UInt8] = []

  /// The whole message with its last part. Throws where it is too long or changes its kind.
  mutating func take(_ part: [UInt8], text: Bool, last: Bool) throws(MessageError) -> [UInt8]? {
    guard bytes.isEmpty || text == self.text else { throw MessageError(what: "a message that changes its kind") }
    guard bytes.count + part.count <= EventLimit.message else { throw MessageError(what: "a message to the far end that is too long") }
    self.text = text
    bytes += part
    guard last else { return nil }
    defer { bytes = [] }
    return bytes
  }
}

extension RemoteLink {
  func event(_ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    begin("an event", .event(event), deadline, .call(completion))
  }

  /// From the thread that reads the child's messages. False where the message is of another kind.
  func handleEvent(_ message: ChildMessage) throws(MessageError) -> Bool {
    switch message {
    case .send(_, let text, let last, let part):
      let whole: Result<[UInt8]?, MessageError> = state.withLock { state in
        Result { () throws(MessageError) in try state.assembly.take(part, text: text, last: last) }
      }
      guard let bytes = try whole.get() else { return true }
      guard !text || String(validating: bytes, as: UTF8.self) != nil else { throw MessageError(what: "a text that is no UTF-8") }
      if resources.services.send(text: text, bytes) == .full {
        resources.services.close(code: 1013, reason: "does not read what it is sent")
      }
    case .shut(_, let code, let reason):
      guard (1000...4999).contains(code), code != 1005, code != 1006 else { throw MessageError(what: "a code that closes nothing") }
      resources.services.close(code: code, reason: reason)
    case .timer(_, let tag, let delay, let period):
      guard period >= 0 else { throw MessageError(what: "a timer that goes backwards") }
      resources.services.timer(tag: tag, delay: delay, period: period)
    case .wake(_, let tag): resources.services.wake(tag: tag)
    case .completed(_, let token, let result):
      if case .pending = result { throw MessageError(what: "a command that never ends") }
      _ = resources.services.completed(token: token, result)
    case .ask(_, let device, let ticket, let tag, let kind):
      guard knows(device), !tag.isEmpty else { throw MessageError(what: "a tag at a device that there is not") }
      resources.services.ask(device: device, ticket: ticket, tag: tag, kind: kind)
    default: return false
    }
    return true
  }

  /// On a thread of the pool.
  func answerEvent(_ request: ChildMessage.Request) -> HostMessage.Answer? {
    switch request {
    case .record(let device, let kind, let document):
      guard knows(device), let value = try? JSONValue(parsing: document, depth: 32), value.object != nil else {
        return .failed(cause: 0, text: "the record is no JSON object")
      }
      return answer(resources.services.record(device: device, kind: kind, document: document))
    case .tags: return .value(resources.services.tags())
    case .control(let device, let point, let value, let valid):
      guard value?.isFinite ?? true else { return .failed(cause: 0, text: "the value is no number") }
      return answer(resources.services.request(device: device, point: point, value: value, valid: valid))
    default: return nil
    }
  }

  private func answer(_ sentence: String?) -> HostMessage.Answer { sentence.map { .failed(cause: 0, text: $0) } ?? .done }
}
