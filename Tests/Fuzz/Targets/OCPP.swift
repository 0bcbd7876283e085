// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON

/// The first byte chooses the version and what the charger is; what follows are its messages, one a line. Whatever comes, our
/// answers are messages, each with an id that was asked for, and memory stays bounded.
func fuzzOCPP(_ bytes: [UInt8]) {
  guard let first = bytes.first else { return }
  let version: OCPPVersion = first & 1 == 0 ? .v16 : .v201
  var settings = ChargerSettings()
  settings.registration = first & 2 == 0 ? .accepted : .pending
  settings.isStrict = first & 4 != 0
  var central: any CentralSystem =
    version == .v16
    ? CentralSystem16(settings: settings, stored: [:], seed: "f") : CentralSystem201(settings: settings, stored: [:], seed: "f")
  var now = Moment(boot: 1_000, unix: 1_795_378_158_674)
  check(central.connected(now), version)
  for (number, line) in bytes.dropFirst().split(separator: UInt8(ascii: "\n")).prefix(16).enumerated() {
    let effects = central.received(Array(line), now)
    check(effects, version)
    for case .authorize(let question) in effects {
      check(central.authorized(ticket: question.ticket, TagInfo(.accepted), now), version)
    }
    now.boot += Int64(number) * 7_000
    now.unix += Int64(number) * 7_000
    check(central.tick(now), version)
    if number == 5 { check(central.command(.limit(Limit(current: 8), connector: 0, until: now.boot + 60_000), ticket: 1, now), version) }
  }
  check(central.disconnected(now), version)
}

private func check(_ effects: [Effect], _ version: OCPPVersion) {
  for effect in effects {
    switch effect {
    case .send(let text):
      guard let received = try? Frame.read(Array(text.utf8)) else { preconditionFailure("no message: \(text)") }
      switch received.frame {
      case .call(_, let action, let payload):
        precondition(Catalogue.of(version).check(action, .request, payload)?.isStrict == true, "a bad call: \(text)")
        precondition(received.bends.isEmpty, "a bent frame: \(text)")
      case .result(let id, _): precondition(!id.isEmpty, "an answer to nobody")
      case .error(_, let code, let description, _):
        precondition(ErrorCode.allCases.contains { $0.name(version) == code }, "an unknown code: \(code)")
        precondition(description.unicodeScalars.count <= Frame.longestDescription, "a long description")
      }
    case .store(let key, let value):
      precondition(key.utf8.count <= 64 && (value?.bytes.count ?? 0) <= 4096, "more than the store takes: \(key)")
    case .session(let document):
      precondition((document["energy"]?.number ?? 0) >= 0, "negative energy")
      precondition(document["session"]?.string?.isEmpty == false, "a session without a name")
    case .points(let points, _):
      for case .number(let value) in points.map(\.value) { precondition(value.isFinite, "not finite") }
    default: break
    }
  }
}

/// A message or a JSON text; what is read and written again is read the same.
func fuzzFrame(_ bytes: [UInt8]) {
  if let json = try? JSON(parsing: bytes) {
    guard let again = try? JSON(parsing: json.bytes, limits: JSON.Limits(bytes: .max, depth: 64, values: .max)) else {
      preconditionFailure("what we wrote is no JSON")
    }
    precondition(again.text == json.text, "written twice differently")
  }
  guard let received = try? Frame.read(bytes) else { return }
  guard let again = try? Frame.read(received.frame.bytes, limits: JSON.Limits(bytes: .max, depth: 64, values: .max)) else {
    preconditionFailure("what we wrote is no message")
  }
  precondition(again.frame.id == received.frame.id, "another id")
}
