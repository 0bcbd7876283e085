// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarConfiguration
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
      tls = UplinkSettings.TLS(
        ca: wanted.tls.ca, certificate: try path(wanted.tls.certificate, "certificate", configuration),
        key: try path(wanted.tls.key, "key", configuration))
    }
    let settings = UplinkSettings(
      host: wanted.url.host, port: wanted.url.port, tls: tls, username: wanted.username, password: password,
      prefix: wanted.prefix, gateway: configuration.host.id, path: HostPath(role: configuration.host.role.rawValue),
      acknowledgement: wanted.acknowledge == .application ? .application : .broker, role: wanted.role,
      bytesPerSecond: Int(wanted.rate.bytesPerSecond), bytesPerDay: Int(wanted.rate.bytesPerDay))
    return Uplink(
      settings: settings, identity: identity, payloads: payloads, queue: queue, handler: handler, logger: logger)
  }

  /// What this release cannot do of a configuration that is good by itself, a line each.
  static func problems(_ configuration: Configuration) -> [String] {
    guard let tls = configuration.uplink?.tls, configuration.uplink?.url.tls == true else { return [] }
    return [("certificate", tls.certificate), ("key", tls.key)].compactMap { name, credential in
      guard credential == .host else { return nil }
      return "\(configuration.file): uplink.tls.\(name): this release has no identity of the host's own yet; expected a PEM file"
    }
  }

  private static func path(
    _ credential: Configuration.Credential?, _ name: String, _ configuration: Configuration
  ) throws -> String? {
    switch credential {
    case .file(let path): return path
    case nil: return nil
    case .host: throw CommandFailure(diagnostics: problems(configuration))
    }
  }
}
