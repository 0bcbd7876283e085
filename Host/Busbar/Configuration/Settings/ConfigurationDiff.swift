// SPDX-License-Identifier: Apache-2.0

/// What a changed file means for a running host.
package struct ConfigurationDiff: Sendable, Equatable {
  package struct Changes: Sendable, Equatable {
    package var added: [String] = []
    package var removed: [String] = []
    package var changed: [String] = []
    package var unchanged: [String] = []

    package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }
  }

  /// By id. A link is changed where adapter, endpoint or config are other ones: close and open, with all its devices.
  package var links: Changes
  /// By `Device.key`. Changed also where the template says something else or the device moved to another link. A device
  /// on a changed link that did not change itself is among the unchanged.
  package var devices: Changes
  /// Settings that the running host takes: `buffer.size`, `log.level`.
  package var settings: [String]
  /// Keys and sections that count from the next start of the host: `host.id`, `management.listen`, `uplink.url`,
  /// `plugins.directories`, …; `uplink` where it came or went.
  package var restart: [String]

  package var isEmpty: Bool { links.isEmpty && devices.isEmpty && settings.isEmpty && restart.isEmpty }

  package init(from old: Configuration, to new: Configuration) {
    links = Self.compare(old.links, new.links, key: \.id) { $0.sameSettings(as: $1) }
    devices = Self.compare(old.devices, new.devices, key: \.key) { before, after in
      before.sameSettings(as: after)
        && before.template.flatMap { old.templates[$0] } == after.template.flatMap { new.templates[$0] }
    }
    settings = Self.names([
      ("buffer.size", old.buffer.size == new.buffer.size), ("buffer.age", old.buffer.age == new.buffer.age),
      ("buffer.commit", old.buffer.commit == new.buffer.commit), ("history.size", old.history.size == new.history.size),
      ("history.age", old.history.age == new.history.age), ("history.commit", old.history.commit == new.history.commit),
      ("log.level", old.log.level == new.log.level), ("discovery.scan", old.discovery.scan == new.discovery.scan),
      ("listeners", old.listeners == new.listeners), ("authorization", old.authorization == new.authorization),
    ])
    restart = Self.names([
      ("host.id", old.host.id == new.host.id), ("host.role", old.host.role == new.host.role),
      ("host.site", old.host.site == new.host.site), ("host.state", old.host.state == new.host.state),
      ("plugins.directories", old.plugins.directories == new.plugins.directories),
      ("plugins.isolation", old.plugins.isolation == new.plugins.isolation),
      ("plugins.overrides", old.plugins.overrides == new.plugins.overrides),
      ("plugins.memory", old.plugins.memory == new.plugins.memory),
      ("plugins.allow_weak_sandbox", old.plugins.allowWeakSandbox == new.plugins.allowWeakSandbox),
      ("plugins.require_signature", old.plugins.requireSignature == new.plugins.requireSignature),
      ("plugins.pin", old.plugins.pins == new.plugins.pins),
      ("plugins.trusted_keys", old.plugins.trustedKeys == new.plugins.trustedKeys),
      ("discovery.interval", old.discovery.interval == new.discovery.interval),
      ("management.listen", old.management.listen == new.management.listen),
      ("management.tls", old.management.tls == new.management.tls),
      ("management.metrics", old.management.metrics == new.management.metrics),
      // The uplink subscribes to answers where somebody is asked at all.
      ("authorization.source", (old.authorization.source == .local) == (new.authorization.source == .local)),
      ("brokers", old.brokers == new.brokers),
    ])
    restart += Self.uplink(old.uplink, new.uplink)
  }

  private static func uplink(_ old: Configuration.Uplink?, _ new: Configuration.Uplink?) -> [String] {
    guard let old, let new else { return old == new ? [] : ["uplink"] }
    return names([
      ("uplink.url", old.url == new.url), ("uplink.username", old.username == new.username),
      ("uplink.password", old.password == new.password), ("uplink.tls", old.tls == new.tls),
      ("uplink.prefix", old.prefix == new.prefix), ("uplink.acknowledge", old.acknowledge == new.acknowledge),
      ("uplink.role", old.role == new.role), ("uplink.rate", old.rate == new.rate),
    ])
  }

  /// The names of those that are not the same.
  private static func names(_ comparisons: [(name: String, same: Bool)]) -> [String] {
    comparisons.filter { !$0.same }.map(\.name)
  }

  private static func compare<T>(
    _ old: [T], _ new: [T], key: KeyPath<T, String>, same: (T, T) -> Bool
  ) -> Changes {
    let before = Dictionary(old.map { ($0[keyPath: key], $0) }, uniquingKeysWith: { first, _ in first })
    var changes = Changes()
    for item in new {
      let name = item[keyPath: key]
      guard let other = before[name] else {
        changes.added.append(name)
        continue
      }
      if same(other, item) { changes.unchanged.append(name) } else { changes.changed.append(name) }
    }
    let names = Set(new.map { $0[keyPath: key] })
    changes.removed = old.map { $0[keyPath: key] }.filter { !names.contains($0) }
    return changes
  }
}
