// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

extension Station {
  /// The session that a command means: by its id, by its connector, or the only one.
  func running(_ connector: Int?, _ session: String?) -> ChargingSession? {
    if let session { return sessions.open.first { $0.id == session } }
    if let connector { return sessions.session(on: connector) }
    return sessions.open.count == 1 ? sessions.open.first : nil
  }

  /// A remote start named this tag; the charger may ask about it or not.
  mutating func expect(_ tag: String, _ now: Moment) {
    remoteStarts.append((tag, now.boot + 300_000))
    if remoteStarts.count > 8 { remoteStarts.removeFirst() }
  }

  /// Why a chain cannot be what the charger asked for; nil where it can, or nothing is known.
  func refusal(_ chain: CertificateChain) -> Refusal? {
    guard let requestedKey, let key = PublicKeyInfo(certificate: chain.text), key != requestedKey else { return nil }
    return Refusal(text: "the first certificate of the chain is for another key than the one that the charger asked for")
  }

  /// Why a request that somebody puts together is not sent; nil where it is.
  func refusal(_ action: String, _ payload: JSON) -> Refusal? {
    guard let known = catalogue.actions[action], known.senders.contains(.centralSystem) else {
      return Refusal(text: "\(action.cut(to: 50)) is no request of the central system in OCPP \(version == .v16 ? "1.6" : "2.0.1")")
    }
    if let refusal = Self.refusal(ofPassword: action, payload) { return refusal }
    return catalogue.check(known.request, payload).findings.first.map { Refusal(text: $0.description) }
  }

  /// The host lets a charger in by its password, so one that the host does not know locks it out.
  private static func refusal(ofPassword action: String, _ payload: JSON) -> Refusal? {
    let names: [String?] =
      switch action {
      case "ChangeConfiguration": [payload["key"]?.string]
      case "SetVariables": (payload["setVariableData"]?.array ?? []).map { $0["variable"]?["name"]?.string }
      default: []
      }
    guard let name = names.compactMap(\.self).first(where: { Passwords.areNamed($0) }) else { return nil }
    return Refusal(
      text: "\(name.trimmed) is the charger's password, which the host has to know: give it a new one with "
        + "`busbar password rotate DEVICE`, or with the action rotate-login on gateways/{id}/commands")
  }

  /// A request whose outcome somebody waits for.
  mutating func send(_ action: String, _ payload: JSON, _ purpose: Purpose, _ ticket: UInt64) {
    guard isConnected else { return end(ticket, .failed("the charger is not connected")) }
    guard registration.mayCall else { return end(ticket, .refused("the charger is rejected")) }
    guard registration.mayCall(action) else {
      return end(ticket, .refused("the charger is held as pending: nothing can be started or stopped before its boot is accepted"))
    }
    if !call(action, payload, purpose, first: true) { end(ticket, .failed("too many calls wait for the charger")) }
  }
}
