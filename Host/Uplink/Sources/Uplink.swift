// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel
internal import BusbarSystem
package import Logging

/// What the uplink needs from above: somebody who carries out commands. Calls come on the uplink's own thread and must
/// return at once; `reply` may be called from any thread, more than once where `accepted` is followed by an outcome.
package protocol UplinkHandler: Sendable {
  func command(_ request: CommandRequest, reply: @escaping @Sendable (CommandResponse) -> Void)
  /// A command for the host: an object that has an `id` and an `action` (interfaces 3).
  func gatewayCommand(_ request: JSONValue, reply: @escaping @Sendable (CommandResponse) -> Void)
  /// The answer to a question about a tag: `{"id","verdict","group","expires"}`.
  func verdict(_ document: JSONValue)
}

extension UplinkHandler {
  package func verdict(_ document: JSONValue) {}
}

/// The connection to the broker (interfaces 3).
///
/// - One thread owns the connection and waits for the socket and for work. What leaves the buffer is published with
///   QoS 1 and answered to the queue by PUBACK; nothing of it is kept here, so nothing is lost with this process.
/// - Retained state is the latest value for each topic, in memory; it is published when it changes and after each
///   connect. Answers to commands are kept until the broker has them, the latest 512.
/// - Lost connections are opened again after 1 s doubling to 60 s; a failure that only a person can mend waits for the
///   longest pause. MQTT 5 is spoken unless the broker refuses it.
/// - A crash of this process makes the broker publish the last will; `stop` publishes the same by itself.
package final class Uplink: Sendable {
  private let context: UplinkContext
  private var shared: UplinkShared { context.shared }

  /// Nothing happens before `start`.
  package init(
    settings: UplinkSettings, identity: GatewayIdentity, payloads: Payloads, queue: any OutboundQueue,
    handler: any UplinkHandler, logger: Logger
  ) {
    context = UplinkContext(
      settings: settings, topics: Topics(prefix: settings.prefix, gateway: settings.gateway), identity: identity,
      payloads: payloads, queue: queue, handler: handler, parser: CommandParser(role: settings.role), logger: logger,
      shared: UplinkShared())
  }

  /// Starts the thread. Once.
  package func start() {
    let starts = shared.with { state in
      defer { state.isRunning = true }
      return !state.isRunning && state.stopDeadline == nil
    }
    guard starts else { return }
    context.queue.onWork { [wakeup = shared.wakeup] in wakeup.wake() }
    shared.turnstile.open()
    WorkThread.start(name: "uplink") { [context] in UplinkLoop(context).run() }
  }

  /// Sets the value of a retained topic; nil deletes it at the broker. It is published if it differs from the last one.
  package func setState(_ topic: StateTopic, _ payload: [UInt8]?) { shared.setState(topic, payload ?? []) }

  /// Sends a message that is not worth a place in the buffer.
  package func send(_ message: EphemeralMessage) { shared.send([message]) }

  /// Returns when the thread comes by; at once where it does not run, or waits for the network to connect.
  package func turn() async { await shared.turnstile.wait { [shared] in shared.wakeup.wake() } }

  package var status: UplinkStatus { shared.with { $0.status } }

  /// Publishes the offline status, waits for what is under way, and disconnects. Returns after `bound` and half a second
  /// at the latest, whatever the broker and the network do; a connection attempt that still blocks then ends by itself.
  package func stop(within bound: Duration = .seconds(2)) async {
    shared.requestStop(deadline: Clock.boot() + bound.nanoseconds)
    await withCheckedContinuation { continuation in
      shared.addWaiting(continuation)
      Task { [shared] in
        try await Task.sleep(for: bound + .milliseconds(500))
        shared.releaseWaiting()
      }
    }
  }
}

/// What the uplink's parts have in common.
struct UplinkContext: Sendable {
  let settings: UplinkSettings
  let topics: Topics
  let identity: GatewayIdentity
  let payloads: Payloads
  let queue: any OutboundQueue
  let handler: any UplinkHandler
  let parser: CommandParser
  let logger: Logger
  let shared: UplinkShared
}
