// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarLinks
internal import BusbarModel
internal import BusbarOpenSSL
internal import BusbarSecurity
internal import BusbarSystem
internal import Logging

/// Watches the certificates by which the host shows who it is: its own, and those of files. One that ends soon or has
/// ended is an alarm and one line in the log; the host goes on, since it is not its business to say who accepts it.
actor CertificateWatch {
  /// A day late does not matter, an hour costs nothing.
  private static let period = Duration.seconds(3600)
  /// While one is about to end: who renews it wants to see that it was taken.
  private static let alarmedPeriod = Duration.seconds(60)

  private var alarms: [JSONValue] = []
  private var watch = ExpiryWatch()
  private let picture: LivePicture
  private let hub: ListenerHub
  private let logger: Logger

  init(picture: LivePicture, hub: ListenerHub, logger: Logger) {
    self.picture = picture
    self.hub = hub
    self.logger = logger
  }

  /// Looks at all of them, and gives those that were renewed to the listeners. Returns when to look again at the latest.
  @discardableResult
  func look(_ configuration: Configuration) async -> Duration {
    note(configuration, now: Clock.unixMilliseconds() / 1000)
    await hub.renew()
    return alarms.isEmpty ? Self.period : Self.alarmedPeriod
  }

  /// `now` is Unix time in seconds.
  private func note(_ configuration: Configuration, now: Int64) {
    alarms = []
    for (name, path) in Self.files(configuration) {
      // What cannot be read is told where it is used.
      guard let end = (try? CertificateFile.read(path))?.map(\.notAfter).min() else { continue }
      if let (state, text) = watch.note(name, until: end, now: now) {
        logger.log(level: state == .good ? .notice : state == .expiring ? .warning : .error, "\(text)")
      }
      let state = ExpiryWatch.state(until: end, now: now)
      guard state != .good else { continue }
      alarms.append([
        "name": state == .expired ? "CertificateExpired" : "CertificateExpiring",
        "text": .string(ExpiryWatch.text(name, state, end)),
      ])
    }
    picture.setOwnAlarms(alarms, of: .certificates)
  }

  /// Each file once, with a name for people.
  private static func files(_ configuration: Configuration) -> [(name: String, path: String)] {
    let own = IdentityStore(configuration).certificate
    let listeners = configuration.listeners.sorted { $0.key < $1.key }.map(\.value).filter { $0.tls != .off }
    let used =
      [configuration.uplink?.tls.certificate] + configuration.links.map(\.tls.certificate) + listeners.map(\.certificate)
      + listeners.compactMap { $0.second.map { .file($0.certificate) } }
    var files = [("the host's own certificate", own)]
    for case .file(let path)? in used where !files.contains(where: { $0.1 == path }) { files.append(("the certificate in \(path)", path)) }
    return files
  }
}
