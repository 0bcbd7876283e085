// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What a listener can do for the security profiles of OCPP (1.6 security whitepaper section 3, 2.0.1 part 2 section A: 0 nothing, 1 a
/// password, 2 a password and TLS, 3 a certificate). No I/O.
package struct ListenerAbility: Sendable, Equatable {
  package var name: String
  package var port: Int
  package var tls: Bool
  /// It asks for certificates of devices: authorities of theirs are named.
  package var certificates: Bool
  /// What everybody has to show there: 0 nothing, 1 a password, 3 a certificate.
  package var least: Int

  package init(name: String, port: Int, tls: Bool, certificates: Bool, least: Int) {
    self.name = name
    self.port = port
    self.tls = tls
    self.certificates = certificates
    self.least = least
  }

  /// The highest profile that anybody can come in with.
  package var highest: Int { !tls ? 1 : certificates ? 3 : 2 }

  /// Why nobody who has to show at least this profile can come in, and what is to be done; nil = it can be done.
  package func lack(for profile: Int) -> String? {
    if profile >= 2, !tls {
      return "the listener \(name) has no TLS, which security profile \(profile) needs: give it `tls: host`, or a certificate and key"
    }
    if profile >= 3, !certificates {
      return "the listener \(name) asks for no certificates of devices, which security profile 3 needs: give it `tls: { clients: FILE }` with "
        + "their authorities, or `authority: host`"
    }
    return nil
  }

  /// A far end that uses exactly this profile, or a higher one where it is called for, gets through.
  fileprivate func takes(_ profile: Int) -> Bool { tls ? profile >= 2 && lack(for: profile) == nil : profile < 2 }
}

/// What the host wants of one far end that it is told to use another profile.
package struct ProfileStanding: Sendable, Equatable {
  /// The listener that it comes to.
  package var own: ListenerAbility
  /// All that could be its next one.
  package var all: [ListenerAbility]
  /// The least that is recorded for it, 0 to 3.
  package var recorded: Int
  /// With which it came last.
  package var present: Int
  /// The host knows a password of it.
  package var hasPassword: Bool

  package init(own: ListenerAbility, all: [ListenerAbility], recorded: Int, present: Int, hasPassword: Bool) {
    self.own = own
    self.all = all
    self.recorded = recorded
    self.present = present
    self.hasPassword = hasPassword
  }
}

/// A request that tells a far end to connect with another security profile from now on: OCPP's key and variable `SecurityProfile`, and
/// its network connection profiles. A wrong one locks the far end out, or takes its security away, and nobody at the site notices.
package struct ProfileOrder: Sendable, Equatable {
  package var profile: Int
  /// Where it shall connect; nil = where it does.
  package var url: String?

  package init(profile: Int, url: String? = nil) {
    self.profile = profile
    self.url = url
  }

  /// Those in the arguments of an action, at whatever depth; a text in them may be JSON itself, as it comes from a command line.
  package static func all(in arguments: [String: JSONValue]) -> [ProfileOrder] {
    var found: [ProfileOrder] = []
    collect(.object(arguments), depth: 8, &found)
    return found
  }

  private static func collect(_ value: JSONValue, depth: Int, _ found: inout [ProfileOrder]) {
    guard depth > 0, found.count < 64 else { return }
    switch value {
    case .array(let items): for item in items { collect(item, depth: depth - 1, &found) }
    case .string(let text):
      guard text.utf8.count <= 64 << 10, text.utf8.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
        let parsed = try? JSONValue(parsing: Array(text.utf8), depth: 16)
      else { return }
      collect(parsed, depth: depth - 1, &found)
    case .object(let members):
      if let order = order(members) { found.append(order) }
      for member in members.values { collect(member, depth: depth - 1, &found) }
    default: break
    }
  }

  private static func order(_ members: [String: JSONValue]) -> ProfileOrder? {
    // ChangeConfiguration of 1.6; SetVariables of 2.0.1; SetNetworkProfile, and the action that makes one of its arguments.
    let ways: [(name: String?, profile: JSONValue?, url: String?)] = [
      (members["key"]?.string, members["value"], nil), (members["variable"]?["name"]?.string, members["attributeValue"], nil),
      (members["ocppCsmsUrl"].map { _ in word }, members["securityProfile"], members["ocppCsmsUrl"]?.string),
      (members["slot"].map { _ in word }, members["security"], members["url"]?.string),
    ]
    for (name, profile, url) in ways {
      guard let name, name.filter({ !$0.isWhitespace }).lowercased() == word, let number = number(profile), (0...3).contains(number) else { continue }
      return ProfileOrder(profile: number, url: url)
    }
    return nil
  }

  private static let word = "securityprofile"

  private static func number(_ value: JSONValue?) -> Int? {
    (value?.integer).flatMap { Int(exactly: $0) } ?? value?.string.flatMap { Int($0.filter { !$0.isWhitespace }) }
  }

  /// Why the far end is not told so, and what is to be done; nil = it would be let in.
  package func objection(_ standing: ProfileStanding) -> String? {
    guard let url else { return objection(standing, at: standing.own) }
    let address = Address(url)
    if profile >= 2, address?.tls == false {
      return "\(address?.text ?? "the address") has no TLS, which security profile \(profile) needs: write wss://"
    }
    // What can be no address is the far end's to refuse.
    guard let address else { return nil }
    // Over TLS there is more than profile 1 asks for.
    let order = ProfileOrder(profile: address.tls ? max(2, profile) : profile)
    guard let door = standing.all.first(where: { $0.name == address.name && $0.port == address.port }) else {
      // Another system's doors are its own business.
      return order.lowering(standing)
    }
    guard address.tls == door.tls else {
      return door.tls
        ? "the listener \(door.name) takes nothing but TLS: the address begins with wss:// there"
        : door.lack(for: max(2, profile)).map { $0 + ". Or the address begins with ws://, with security profile 1" }
    }
    return order.refusal(standing, at: door)
  }

  private func objection(_ standing: ProfileStanding, at door: ListenerAbility) -> String? {
    if door.takes(profile) { return refusal(standing, at: door) }
    guard profile >= 2 else { return "the device connects with TLS, and security profile \(profile) has none: \(Self.rule)" }
    // Chargers of 1.6 get their new address in ways of their own.
    guard !standing.all.contains(where: { $0.takes(profile) }) else { return refusal(standing, at: nil) }
    return door.lack(for: profile).map { $0 + ". Otherwise the device finds no way back" }
  }

  /// `door`: where it will come to; nil = not the one that it comes to now.
  private func refusal(_ standing: ProfileStanding, at door: ListenerAbility?) -> String? {
    if let lowering = lowering(standing) { return lowering }
    let least = max(standing.recorded, door?.least ?? 0)
    guard profile >= least else {
      return "security profile \(profile) is lower than \(least), the least that the host lets the device in with: `busbar password set "
        + "DEVICE --profile \(profile)` comes first where that is really wanted"
    }
    if let lack = door?.lack(for: profile) { return lack }
    guard profile == 1 || profile == 2, let door, door.name == standing.own.name, least > 0, !standing.hasPassword else { return nil }
    return "the host has no password of the device, which security profile \(profile) needs: `busbar password set DEVICE` comes first"
  }

  private func lowering(_ standing: ProfileStanding) -> String? {
    guard profile < standing.present else { return nil }
    return "security profile \(profile) is lower than \(standing.present), with which the device is connected: \(Self.rule)"
  }

  private static let rule = "a profile is raised, never lowered (OCPP 1.6 security whitepaper section 3, 2.0.1 A05)"

  private struct Address {
    var tls: Bool
    var port: Int
    /// The first part of its path.
    var name: String
    var text: String

    /// `wss://HOST:PORT/NAME…`
    init?(_ url: String) {
      let parts = url.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
      let scheme = parts.first?.lowercased()
      guard parts.count >= 3, parts[1].isEmpty, scheme == "ws:" || scheme == "wss:" else { return nil }
      tls = scheme == "wss:"
      let authority = parts[2]
      // An IPv6 address has colons of its own.
      let tail = authority[(authority.lastIndex(of: "]") ?? authority.startIndex)...]
      port = tail.lastIndex(of: ":").flatMap { Int(tail[tail.index(after: $0)...]) } ?? (tls ? 443 : 80)
      name = parts.count > 3 ? String(parts[3].prefix { $0 != "?" }) : ""
      text = String(url.prefix(128))
    }
  }
}
