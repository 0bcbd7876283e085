// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

/// A central system and what it did, with every frame of ours checked against the tables.
struct Dialogue {
  let version: OCPPVersion
  var central: any CentralSystem
  var now = at(0)
  var sent: [Frame] = []
  var stored: [String: JSON] = [:]
  var effects: [Effect] = []
  /// Answers about tags; nil leaves the question open.
  var tags: (String) -> TagInfo.Status? = { $0 == "GOOD" ? .accepted : .invalid }
  private var asked: [String: String] = [:]
  private var number = 0

  init(_ version: OCPPVersion, stored: [String: JSON] = [:], _ change: (inout ChargerSettings) -> Void = { _ in }) {
    self.version = version
    var settings = ChargerSettings()
    settings.introduction = 0
    change(&settings)
    self.stored = stored
    central =
      version == .v16
      ? CentralSystem16(settings: settings, stored: stored, seed: "s") : CentralSystem201(settings: settings, stored: stored, seed: "s")
  }

  mutating func connect() { take(central.connected(now)) }
  mutating func disconnect() { take(central.disconnected(now)) }

  mutating func wait(_ seconds: Int64) {
    now.boot += seconds * 1000
    now.unix += seconds * 1000
    take(central.tick(now))
  }

  mutating func receive(_ text: String) { take(central.received(Array(text.utf8), now)) }

  /// A call of the charger; the answer.
  @discardableResult
  mutating func call(_ action: String, _ payload: JSON, id: String? = nil) -> Frame? {
    number += 1
    let id = id ?? "c\(number)"
    asked[id] = action
    let position = sent.count
    receive(Frame.call(id: id, action: action, payload: payload).text)
    return sent[position...].first { $0.id == id }
  }

  mutating func command(_ command: Command, ticket: UInt64 = 1) { take(central.command(command, ticket: ticket, now)) }

  /// The latest call of ours that has no answer yet.
  var outstanding: (id: String, action: String, payload: JSON)? {
    guard case .call(let id, let action, let payload)? = sent.last(where: { if case .call = $0 { true } else { false } }) else {
      return nil
    }
    return (id, action, payload)
  }

  mutating func answer(_ payload: JSON) {
    if let id = outstanding?.id { receive(Frame.result(id: id, payload: payload).text) }
  }

  mutating func fail(_ code: String) {
    if let id = outstanding?.id { receive(Frame.error(id: id, code: code, description: "", details: [:]).text) }
  }

  var outcomes: [Outcome] {
    effects.compactMap { if case .outcome(_, let outcome) = $0 { outcome } else { nil } }
  }

  var sessions: [JSON] { effects.compactMap { if case .session(let document) = $0 { document } else { nil } } }
  var notes: [String] { effects.compactMap { if case .note(let text) = $0 { text } else { nil } } }

  var points: [String: PointValue.Value] {
    var points: [String: PointValue.Value] = [:]
    for case .points(let values, _) in effects { for value in values { points[value.name] = value.value } }
    return points
  }

  private mutating func take(_ new: [Effect]) {
    effects += new
    for effect in new {
      switch effect {
      case .send(let text): check(text)
      case .store(let key, let value):
        #expect(key.utf8.count <= 64)
        #expect((value?.bytes.count ?? 0) <= 4096)
        stored[key] = value
      case .authorize(let question):
        if let status = tags(question.tag) { take(central.authorized(ticket: question.ticket, TagInfo(status), now)) }
      default: break
      }
    }
  }

  private mutating func check(_ text: String) {
    guard let received = try? Frame.read(Array(text.utf8)) else {
      Issue.record("no frame: \(text)")
      return
    }
    #expect(received.bends == [])
    sent.append(received.frame)
    let catalogue = Catalogue.of(version)
    switch received.frame {
    case .call(_, let action, let payload):
      #expect(catalogue.actions[action]?.senders.contains(.centralSystem) == true)
      #expect(catalogue.check(action, .request, payload)?.findings == [], "\(text)")
    case .result(let id, let payload):
      guard let action = asked[id] else { return }
      #expect(catalogue.check(action, .response, payload)?.findings == [], "\(text)")
    case .error(_, let code, _, _): #expect(ErrorCode.allCases.contains { $0.name(version) == code })
    }
  }
}

extension Frame {
  var payload: JSON? { if case .result(_, let payload) = self { payload } else { nil } }
  var errorCode: String? { if case .error(_, let code, _, _) = self { code } else { nil } }
}
