// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Logging

extension LinkGuard {
  /// Hands one event to the plugin.
  func perform(_ event: LinkEvent) async {
    await addWaiting(for: event)
    guard let connection, phase == .open else { return }
    if case .opened(let peer) = event { socketOpened(peer) }
    let deadline = Clock.boot() + patience
    let answer: CallResult? = await call(connection, until: deadline) {
      connection.event(event, deadline: deadline, completion: $0)
    }
    if case .closed(let code, let reason) = event { socketClosed(code, reason) }
    guard let result = answer else { return }
    if result.failure != nil { failed(event, result) }
    for number in devices.keys where devices[number]?.added == true {
      schedule(number)
      lookAgain(number)
      if devices[number]?.memory.with({ $0.infoChanged }) == true { announce(number) }
    }
  }

  /// A device that was not well is looked at as soon as a point has got its value, not a period later.
  private func lookAgain(_ number: UInt32) {
    guard let device = devices[number], device.health.state != .online else { return }
    let missing = device.memory.with { state in state.latest.count { $0.item.value == nil } }
    if missing < device.missing {
      devices[number]?.schedule.hurry()
      devices[number]?.backOff.reset()
      devices[number]?.holdUntil = 0
    }
    devices[number]?.missing = missing
  }

  /// The plugin knows the devices before it hears of anybody.
  private func addWaiting(for event: LinkEvent) async {
    guard case .opened = event else { return }
    for number in devices.keys.sorted() where devices[number]?.added == false && devices[number]?.health.state != .needsAttention {
      await add(number)
    }
  }

  /// Values at once, and no pause that an absence has left.
  private func socketOpened(_ peer: SocketPeer) {
    backOff.reset()
    for number in devices.keys {
      devices[number]?.backOff.reset()
      devices[number]?.holdUntil = 0
      devices[number]?.schedule.hurry()
      if connections > 0 { devices[number]?.health.reconnected() }
    }
    connections += 1
    profile = peer.trust == .certificate ? 3 : peer.tls ? 2 : peer.trust == .password ? 1 : 0
    logger.info("connected", metadata: ["address": "\(peer.address)", "protocol": "\(peer.subprotocol)", "trust": "\(peer.trust)"])
  }

  private func socketClosed(_ code: UInt16, _ reason: String) {
    logger.info("disconnected", metadata: ["code": "\(code)", "reason": "\(reason)"])
    guard !events.mailbox.isAwaiting else { return }
    let text = reason.isEmpty ? "the connection ended (\(code))" : "the connection ended: \(reason)"
    for number in devices.keys.sorted() {
      publishBad(number, .comm, points: devices[number]?.schedule.all)
      deviceFailed(number, CallResult(failure: .transient, reason: .closed, text: text), took: nil)
      devices[number]?.schedule.hurry()
    }
  }

  /// A plugin that does not want a connection ends it; of other events it may say in the log what was wrong.
  private func failed(_ event: LinkEvent, _ result: CallResult) {
    switch event {
    case .opened:
      logger.warning("the adapter refuses the connection", metadata: ["reason": "\(result.text)"])
      events.mailbox.close(code: 1008, reason: "refused")
    default:
      if let dropped = eventComplaints.admit(now: Clock.boot()) {
        logger.warning(
          "an event was not handled", metadata: ["reason": "\(result.text)", "left_out": "\(dropped)"])
      }
    }
  }
}
