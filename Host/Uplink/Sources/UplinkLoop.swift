// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarModel
internal import BusbarMosquitto
internal import BusbarSystem
internal import Logging

/// The life of the uplink's thread: one connection after the other, with pauses between them.
final class UplinkLoop {
  /// Names are looked up and addresses called one after the other, each until the system gives up: half a minute for a
  /// name and about two minutes an address (tcp_syn_retries). Nanoseconds.
  private static let longestConnect: Int64 = 600_000_000_000

  private let context: UplinkContext
  private var reconnect: ReconnectPause
  private var versions = VersionChoice()
  private var rate: RateLimit
  private var connections = 0
  /// What was logged since the last connection, and how often it failed.
  private var failures = 0
  private var logged: String?

  init(_ context: UplinkContext) {
    self.context = context
    let settings = context.settings
    reconnect = ReconnectPause(first: settings.firstPause, longest: settings.longestPause)
    rate = RateLimit(
      bytesPerSecond: settings.bytesPerSecond, bytesPerDay: settings.bytesPerDay, boot: Clock.boot())
  }

  func run() {
    while context.shared.stopDeadline == nil {
      context.shared.enter(.connecting, reason: logged)
      do throws(ConnectionFailure) {
        try connectAndServe()
      } catch {
        if error.kind == .version, versions.refused() {
          context.logger.notice("the broker at \(context.settings) does not speak MQTT 5; using 3.1.1")
          continue
        }
        if error.kind == .unanswered { versions.unansweredConnect() }
        note(reconnect.isFlapping ? error.flapping(clientID: context.settings.clientID) : error)
        pause(reconnect.pause(needsPerson: error.needsPerson, chance: .random(in: 0...1)))
      }
    }
    context.shared.enter(.disconnected, reason: nil)
    context.shared.with { $0.isRunning = false }
    context.shared.turnstile.close()
    context.shared.releaseWaiting()
  }

  /// Returns when the uplink is to stop.
  private func connectAndServe() throws(ConnectionFailure) {
    let client: MosquittoClient
    do throws(ConnectionFailure) {
      client = try open()
    } catch {
      reconnect.unreachable()
      throw error
    }
    guard context.shared.stopDeadline == nil else { return }
    let connection = UplinkConnection(context, client: client, rate: rate) { [self] in accepted(client.version) }
    defer {
      rate = connection.rate
      if let begin = connection.begin {
        reconnect.ended(after: .nanoseconds(Clock.boot() - begin))
        context.queue.connectionLost()
        context.shared.with { $0.ephemeral.connectionLost() }
      }
    }
    try connection.serve()
  }

  private func open() throws(ConnectionFailure) -> MosquittoClient {
    let settings = context.settings
    let tls = settings.tls.map { MosquittoTLS(ca: $0.ca, certificate: $0.certificate, key: $0.key) }
    if let tls, let failure = ConnectionFailure(unreadableFileOf: tls) { throw failure }
    let will = context.payloads.gatewayStatus(online: false, identity: context.identity, time: Clock.unixMilliseconds())
    context.logger.debug("connecting to \(settings) with MQTT \(versions.version.rawValue)")
    do throws(MosquittoError) {
      let client = try MosquittoClient(
        version: versions.version, clientID: settings.clientID, payloadLimit: MessageReader.sizeLimit)
      if let username = settings.username {
        try client.setCredentials(username: username, password: settings.password)
      }
      if let tls { try client.setTLS(tls) }
      try client.setWill(topic: context.topics.gatewayStatus, payload: will)
      context.shared.turnstile.excuse(until: Clock.boot() + Self.longestConnect)
      defer { context.shared.turnstile.pass() }
      try client.connect(host: settings.host, port: settings.port, keepalive: settings.keepalive)
      return client
    } catch {
      throw ConnectionFailure(error, settings: settings, stage: .opening)
    }
  }

  private func accepted(_ version: MQTTVersion) {
    reconnect.succeeded()
    versions.accepted()
    let attempts = failures == 0 ? "" : " after \(failures) failed attempts"
    context.logger.notice("connected to \(context.settings) with MQTT \(version.rawValue)\(attempts)")
    failures = 0
    logged = nil
    if connections > 0 { context.shared.count(\.reconnects) }
    connections += 1
  }

  /// Once when it is lost, and again only when there is something else to say.
  private func note(_ failure: ConnectionFailure) {
    context.shared.enter(.disconnected, reason: failure.sentence)
    failures += 1
    guard logged != failure.sentence else { return }
    logged = failure.sentence
    context.logger.warning("\(failure.sentence)")
  }

  private func pause(_ pause: Duration) {
    let wakeup = context.shared.wakeup
    let end = Clock.boot() + pause.nanoseconds
    while context.shared.stopDeadline == nil, Clock.boot() < end {
      _ = Poll.wait([(wakeup.descriptor.number, .read)], until: end)
      wakeup.drain()
      context.shared.turnstile.pass()
    }
  }
}
