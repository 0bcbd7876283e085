// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginAPI
internal import PluginJSON
public import PluginKit

/// The central system of one charge point: a link is the place of a listener where it connects, and has this one device.
///
/// The conversation itself is a value without input or output (OCPPCodec); this carries what happens to it and carries out the
/// effects, in their order: what has to be safe is on disk before the charger hears of it.
public final class OCPPAdapter: EventAdapter {
  public static let id: StaticString = "ocpp"

  let link: Link
  var charger: Charger?
  /// Who is connected.
  var peer: Peer?

  /// The timer of the conversation.
  static let tick: UInt64 = 1

  public init(link: Link, config: String, _ call: borrowing Call) throws(AdapterError) { self.link = link }

  public func addDevice(
    _ number: DeviceNumber, name: String, config: String, template: String, _ call: borrowing Call
  ) throws(AdapterError) -> Charger {
    guard charger == nil else {
      throw AdapterError(.config, "a charge point is one device; this connection has another one already")
    }
    let charger = Charger(number, try ChargerConfig(config))
    try charger.points.declare(PointCatalogue.usual(charger.config), of: number, link)
    link.identify(number, detail: Charger.actions)
    self.charger = charger
    if peer != nil { try begin(charger, call) }
    return charger
  }

  public func removeDevice(_ device: Charger) {
    if charger === device { charger = nil }
  }

  /// States stand until they change, so they are told again. Measurements are told when the charger sends them.
  public func poll(_ charger: Charger, due: [PointID], _ call: borrowing Call) throws(AdapterError) {
    guard peer != nil else { throw AdapterError(.transient, "the charger is not connected") }
    guard charger.identity != nil else { throw AdapterError(.transient, "the charger has not said who it is yet") }
    if !charger.unsaved.isEmpty { save(charger, call) }
    let wanted = Set(due)
    let standing = charger.points.entries.values.compactMap { entry in
      entry.state.flatMap { wanted.contains(entry.id) ? (entry, $0) : nil }
    }
    emit(standing, time: 0)
    // What the charger has not measured yet is told of once; it comes when it comes.
    let missing = charger.points.takeUntold(wanted)
    if !missing.isEmpty {
      link.emit(upTo: missing.count) { batch in
        for entry in missing { batch.append(entry.id, bad: BB_QUALITY_DEVICE, type: entry.carrier.type) }
      }
    }
  }
}
