// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
public import PluginKit

extension OCPPAdapter {
  public func handle(_ event: Event, _ call: borrowing Call) throws(AdapterError) {
    switch event {
    case .opened(let peer):
      self.peer = peer
      if let charger { try begin(charger, call) }
    case .closed:
      peer = nil
      guard let charger, charger.central != nil else { return }
      charger.offeredTags = nil
      charger.points.forget()
      perform(charger.central?.disconnected(.now) ?? [], charger, call)
    case .message(_, let bytes):
      guard let charger, charger.central != nil else { return }
      perform(charger.central?.received(bytes, .now) ?? [], charger, call)
      offerTags(charger, call)
    case .timer(Self.tick):
      guard let charger, charger.central != nil else { return }
      charger.alarm = nil
      perform(charger.central?.tick(.now) ?? [], charger, call)
      offerTags(charger, call)
    case .verdict(let ticket, let verdict):
      guard let charger, charger.central != nil else { return }
      let info = TagInfo(verdict, otherwise: charger.config.settings.unanswered)
      perform(charger.central?.authorized(ticket: ticket, info, .now) ?? [], charger, call)
    case .tagsChanged:
      guard let charger else { return }
      charger.offeredTags = nil
      offerTags(charger, call)
    case .abandoned(let token): charger?.commands.abandon(token)
    case .timer, .wake: break
    }
  }

  /// The conversation of a new connection. What it knows goes on over connections, also where the charger speaks another version
  /// than before, as after an update of its firmware.
  func begin(_ charger: Charger, _ call: borrowing Call) throws(AdapterError) {
    guard let peer else { return }
    guard let version = OCPPVersion(rawValue: peer.subprotocol) else {
      link.close(code: 1002, reason: "expected the subprotocol ocpp1.6 or ocpp2.0.1")
      throw AdapterError(.device, "the charger speaks \"\(peer.subprotocol)\"; expected ocpp1.6 or ocpp2.0.1")
    }
    if charger.central == nil || charger.version != version {
      let seed = String(String(UInt64.random(in: 0...UInt64.max), radix: 36).prefix(10))
      let stored = StoredCharger.read(link, call)
      if charger.identity == nil, let identity = stored["identity"] { know(ChargerIdentity(identity), charger) }
      charger.version = version
      charger.central =
        version == .v16
        ? CentralSystem16(settings: charger.settings, stored: stored, seed: seed)
        : CentralSystem201(settings: charger.settings, stored: stored, seed: seed)
    }
    perform(charger.central?.connected(.now) ?? [], charger, call)
    offerTags(charger, call)
  }

  /// The charger's own list is brought to the host's, once a connection and when the host's changes.
  func offerTags(_ charger: Charger, _ call: borrowing Call) {
    guard charger.offeredTags == nil, peer != nil, let central = charger.central, central.isIntroduced,
      central.registration.status == .accepted
    else { return }
    charger.offeredTags = 0
    guard let bytes = link.localTags(), let list = TagList(host: bytes) else { return }
    charger.offeredTags = list.version
    // A host that never had a list leaves the charger its own.
    guard list.version > 0 || list.count > 0 else { return }
    let ticket = charger.commands.add(CommandDesk.Entry(token: nil, key: 0, kind: .action))
    perform(charger.central?.command(.tags(list), ticket: ticket, .now) ?? [], charger, call)
  }
}

extension TagInfo {
  /// `otherwise`: what a tag is that nobody knows anything about.
  init(_ verdict: TagVerdict, otherwise: TagInfo) {
    let group = verdict.group.isEmpty ? nil : verdict.group
    switch verdict.verdict {
    case .accepted: self.init(.accepted, expiry: verdict.expires, group: group)
    case .blocked: self.init(.blocked, expiry: verdict.expires, group: group)
    case .expired: self.init(.expired, expiry: verdict.expires, group: group)
    case .unknown: self.init(.invalid)
    case .undecided: self = otherwise
    }
  }
}

extension TagList {
  /// The host's list (authorize.h): {"version": 7, "tags": [{"tag": …, "verdict": …, "group": …, "expires": ms}, …]}.
  init?(host bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes, limits: JSON.Limits(bytes: 1 << 24, depth: 8, values: 1_000_000)),
      let version = json["version"]?.integer
    else { return nil }
    self.init(
      version: version,
      (json["tags"]?.array ?? []).compactMap { item in
        guard let tag = item["tag"]?.string, !tag.isEmpty else { return nil }
        let status: TagInfo.Status =
          switch item["verdict"]?.string {
          case "blocked": .blocked
          case "expired": .expired
          case "unknown": .invalid
          default: .accepted
          }
        let expires = item["expires"]?.integer.flatMap { $0 > 0 ? $0 : nil }
        return Entry(tag, TagInfo(status, expiry: expires, group: item["group"]?.string.flatMap { $0.isEmpty ? nil : $0 }))
      })
  }
}
