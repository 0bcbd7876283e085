// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem
package import Logging

/// What a person says of a device that goes into service. With a candidate only what differs from it.
package struct OnboardingRequest: Sendable, Equatable {
  package var candidate: String?
  package var id: DeviceID?
  package var name: String?
  package var adapter: String?
  package var template: String?
  package var endpoint: String?
  /// Over the candidate's, member by member.
  package var config: [String: JSONValue] = [:]
  /// As in the configuration.
  package var poll: JSONValue?
  package var write: Bool?

  package init() {}
}

/// Puts devices into service while the host runs, and takes them out again: checked, read once, stored, started, in this
/// order, so that nothing is kept that does not work.
package actor Onboarding {
  private let registry: DeviceRegistry
  private let discoverer: Discoverer
  private let site: any DiscoverySite
  private let logger: Logger

  package init(registry: DeviceRegistry, discoverer: Discoverer, site: any DiscoverySite, logger: Logger) {
    self.registry = registry
    self.discoverer = discoverer
    self.site = site
    self.logger = logger
  }

  /// Returns the device's id.
  package func add(_ request: OnboardingRequest) async throws(OnboardingRefusal) -> DeviceID {
    var (entry, serial) = try await draft(request)
    let suggested = entry["id"]?.string.flatMap(DeviceID.init(rawValue:))
    // An id is needed before the trial, because what the configuration would say is part of it.
    if suggested == nil { entry["id"] = "trial" }
    let outcome = try await site.trial(.object(entry), inPlaceOf: nil)
    guard serial.isEmpty || outcome.serial.isEmpty || outcome.serial == serial else {
      throw OnboardingRefusal(
        .failed, "another device answers there now: serial number \(outcome.serial) in the place of \(serial); search again")
    }
    if serial.isEmpty { serial = outcome.serial }
    let languages = await site.languages()
    guard let id = suggested ?? derived(serial, entry: entry, languages) else {
      throw OnboardingRefusal(
        .invalid, "the device tells no serial number to make an id of: give it one with --id, such as met_cellar")
    }
    guard registry[id] == nil, await !site.devices().contains(where: { $0.id == id }) else {
      throw OnboardingRefusal(.conflict, "the id \(id) is taken: give another one with --id")
    }
    entry["id"] = .string(id.rawValue)
    try registry.set(
      RegisteredDevice(id: id, entry: .object(entry), serial: serial, added: Clock.unixMilliseconds()))
    do throws(OnboardingRefusal) {
      try await site.apply()
    } catch {
      try registry.remove(id)
      throw error
    }
    logger.notice(
      "device approved",
      metadata: ["device": "\(id)", "endpoint": "\(entry["endpoint"]?.string ?? "")", "values": "\(outcome.good)"])
    return id
  }

  /// Takes a registered device out of service. Its readings that wait for the broker stay.
  package func remove(_ id: DeviceID) async throws(OnboardingRefusal) {
    guard registry[id] != nil else {
      guard await site.devices().contains(where: { $0.id == id }) else {
        throw OnboardingRefusal(.unknown, "there is no device \(id); `busbar devices` lists them")
      }
      throw OnboardingRefusal(.conflict, "\(id) stands in the configuration: take it out there, and reload")
    }
    try registry.remove(id)
    try await site.apply()
    logger.notice("device forgotten", metadata: ["device": "\(id)"])
  }

  /// A registered device shows up at another address and does not answer at its own: it is read there once, and goes on
  /// there where that is really the same.
  package func follow(_ found: FoundDevice, _ device: KnownDevice) async {
    guard let id = device.id, let before = registry[id], var entry = before.entry.object else { return }
    entry["endpoint"] = .string(found.endpoint)
    entry["config"] = .object((entry["config"]?.object ?? [:]).merging(found.config.object ?? [:]) { _, new in new })
    do throws(OnboardingRefusal) {
      let outcome = try await site.trial(.object(entry), inPlaceOf: id)
      guard outcome.serial == found.serial else {
        throw OnboardingRefusal(.failed, "it told the serial number \(outcome.serial) when it was read again")
      }
      var moved = before
      moved.entry = .object(entry)
      moved.serial = found.serial
      try registry.set(moved)
      do throws(OnboardingRefusal) {
        try await site.apply()
      } catch {
        try registry.set(before)
        throw error
      }
    } catch {
      logger.warning(
        "a device shows up at another address and cannot be followed",
        metadata: ["device": "\(id)", "endpoint": "\(found.endpoint)", "reason": "\(error.text)"])
      return
    }
    let text = "moved from \(device.endpoint) to \(found.endpoint)"
    logger.notice("device followed to another address", metadata: ["device": "\(id)", "serial": "\(found.serial)", "change": "\(text)"])
    // Something that happened, not a state: it is over as soon as it is told.
    for active in [true, false] {
      site.tell(Alarm(device: id, name: "AddressChanged", active: active, text: text, time: Clock.unix()))
    }
  }

  // MARK: Parts

  private func draft(_ request: OnboardingRequest) async throws(OnboardingRefusal) -> ([String: JSONValue], String) {
    var entry: [String: JSONValue] = [:]
    var serial = ""
    if let name = request.candidate {
      guard let found = await discoverer.candidate(name) else {
        throw OnboardingRefusal(.unknown, "there is no candidate \(name); `busbar discover` finds some")
      }
      let standing = Standing(of: found, among: await site.devices())
      if let device = standing.device {
        throw OnboardingRefusal(
          .conflict, standing.note(found) ?? "\(name) is in service as \(device.id?.rawValue ?? device.name)")
      }
      entry = ["endpoint": .string(found.endpoint), "config": found.config, "adapter": .string(found.adapter)]
      if let template = found.template { entry["template"] = .string(template) }
      if let id = found.suggestedID { entry["id"] = .string(id.rawValue) }
      serial = found.serial
    } else if request.endpoint == nil {
      throw OnboardingRefusal(.invalid, "name a candidate, or a template and an endpoint")
    }
    if let adapter = request.adapter { entry["adapter"] = .string(adapter) }
    if let template = request.template { entry["template"] = .string(template) }
    if let endpoint = request.endpoint { entry["endpoint"] = .string(endpoint) }
    if entry["template"] == nil, request.candidate != nil, entry["endpoint"]?.string.map(VisitorName.isEndpoint) != true {
      throw OnboardingRefusal(.invalid, "no template recognises it: name one with --template; `busbar template list` shows them")
    }
    if let id = request.id { entry["id"] = .string(id.rawValue) }
    if let name = request.name { entry["name"] = .string(name) }
    if !request.config.isEmpty || entry["config"] != nil {
      entry["config"] = .object((entry["config"]?.object ?? [:]).merging(request.config) { _, own in own })
    }
    if let poll = request.poll { entry["poll"] = poll }
    if let write = request.write { entry["write"] = .boolean(write) }
    return (entry, serial)
  }

  private func derived(_ serial: String, entry: [String: JSONValue], _ languages: [SearchLanguage]) -> DeviceID? {
    guard let name = entry["template"]?.string,
      let template = languages.lazy.compactMap({ $0.templates[name] }).first
    else { return nil }
    return DeviceID.derived(kind: template.kind, vendor: template.vendor, serial: serial)
  }
}
