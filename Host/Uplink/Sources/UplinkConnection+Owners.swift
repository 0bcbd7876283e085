// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarMosquitto
internal import BusbarSystem
internal import Logging

extension UplinkConnection {
  /// Asks the broker about devices that this host does not know and somebody commanded; refuses what is nobody's.
  func askOwners() throws(ConnectionFailure) {
    let now = Clock.boot()
    for device in owners.expired(now: now) { try refuse(device) }
    for device in context.shared.with({ Array($0.unclaimed.waiting.keys) }) where !owners.isAsked(device) {
      if owners.belongsToAnother(device, now: now) {
        leave(device)
      } else {
        owners.asked(device, now: now)
        do throws(MosquittoError) {
          ownerSubscriptions[try client.subscribe(context.topics.state(.deviceStatus(device)))] = device
        } catch {
          throw ConnectionFailure(error, settings: context.settings, stage: .accepted)
        }
      }
    }
  }

  /// True where the subscription was one of these.
  func noteOwnerSubscription(_ identifier: Int32, _ reason: ReasonCode) -> Bool {
    guard let device = ownerSubscriptions.removeValue(forKey: identifier) else { return false }
    // Who may not ask takes the device for nobody's.
    owners.subscribed(device, now: reason.isRefusal ? .min / 2 : Clock.boot())
    return true
  }

  func learnOwner(of device: DeviceID, _ payload: [UInt8]) throws(ConnectionFailure) {
    guard owners.isAsked(device) else { return }
    guard case .object(let document) = MessageReader.read(payload), let gateway = document["gateway"]?.string,
      gateway != context.topics.gateway
    else { return try refuse(device) }
    owners.foundElsewhere(device, now: Clock.boot())
    leave(device)
    try unsubscribe(device)
  }

  private func refuse(_ device: DeviceID) throws(ConnectionFailure) {
    owners.unowned(device)
    context.shared.send(context.shared.with { $0.unclaimed.take(device) })
    try unsubscribe(device)
  }

  private func leave(_ device: DeviceID) {
    let count = context.shared.with { $0.unclaimed.take(device).count }
    context.shared.with { $0.status.counters.elsewhere += count }
    context.logger.debug("a command for \(device) was left to the host that has the device")
  }

  private func unsubscribe(_ device: DeviceID) throws(ConnectionFailure) {
    do throws(MosquittoError) {
      try client.unsubscribe(context.topics.state(.deviceStatus(device)))
    } catch {
      throw ConnectionFailure(error, settings: context.settings, stage: .accepted)
    }
  }
}
