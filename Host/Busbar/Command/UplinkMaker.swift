// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarConfiguration
import BusbarSecurity
import BusbarUplink
import Foundation
import Logging

/// The uplink of a configuration; nil where it has none.
enum UplinkMaker {
  /// Throws `CommandFailure` where the password cannot be read.
  static func uplink(
    _ configuration: Configuration, identity: GatewayIdentity, payloads: Payloads, queue: any OutboundQueue,
    handler: any UplinkHandler, logger: Logger
  ) throws -> Uplink? {
    guard let wanted = configuration.uplink else {
      logger.notice("no uplink is configured: readings are kept up to the buffer's limits")
      return nil
    }
    var password: String?
    do throws(SecretError) {
      password = try wanted.password?.resolve(environment: ProcessInfo.processInfo.environment)
    } catch {
      throw CommandFailure("\(configuration.file): uplink.password: \(error)", exitCode: 2)
    }
    var tls: UplinkSettings.TLS?
    if wanted.url.tls {
      let identity = IdentityStore(configuration)
      tls = UplinkSettings.TLS(
        ca: wanted.tls.ca, certificate: wanted.tls.certificate?.path(host: identity.certificate),
        key: wanted.tls.key?.path(host: identity.key))
    }
    var settings = UplinkSettings(
      host: wanted.url.host, port: wanted.url.port, tls: tls, username: wanted.username, password: password,
      prefix: wanted.prefix, gateway: configuration.host.id, path: HostPath(role: configuration.host.role.rawValue),
      acknowledgement: wanted.acknowledge == .application ? .application : .broker, role: wanted.role,
      bytesPerSecond: Int(wanted.rate.bytesPerSecond), bytesPerDay: Int(wanted.rate.bytesPerDay))
    settings.authorizes = configuration.authorization.source != .local
    return Uplink(
      settings: settings, identity: identity, payloads: payloads, queue: queue, handler: handler, logger: logger)
  }
}
