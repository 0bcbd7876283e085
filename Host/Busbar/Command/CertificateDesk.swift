// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarControl
internal import BusbarLinks
internal import BusbarModel
internal import BusbarSecurity
internal import BusbarSystem
internal import Logging
internal import Synchronization

/// Signs the certificates that devices ask for, where their listener has an authority: an adapter keeps the request as a record
/// `….sign-certificate` with `content.csr`, and its device has the action `certificate.sign` that hands over what was signed.
///
/// Only for whom the host has let in by a password or a certificate, and only for the name that it was let in by.
final class CertificateDesk: Sendable {
  private static let kind = ".sign-certificate"
  private static let action = "certificate.sign"

  private struct State {
    var authorities: [String: DeviceAuthority] = [:]
    var configuration: Configuration?
    var underWay: Set<DeviceID> = []
  }

  private let state = Mutex(State())
  private let arbiter: Arbiter
  private let desk: ListenerDesk
  private let logger: Logger

  init(arbiter: Arbiter, desk: ListenerDesk, logger: Logger) {
    self.arbiter = arbiter
    self.desk = desk
    self.logger = logger
  }

  /// As the configuration says. Returns a sentence for each authority that cannot sign.
  func change(_ configuration: Configuration) -> [String] {
    var authorities: [String: DeviceAuthority] = [:]
    var problems: [String] = []
    for (name, listener) in configuration.listeners {
      guard let authority = listener.authority else { continue }
      do throws(SecurityError) {
        authorities[name] =
          switch authority {
          case .host: try DeviceAuthority.own(state: configuration.host.state, gateway: configuration.host.id)
          case .files(let files): try DeviceAuthority(certificate: files.certificate, key: files.key)
          }
      } catch {
        problems.append("the listener \(name): authority: \(error)")
      }
    }
    state.withLock { ($0.authorities, $0.configuration) = (authorities, configuration) }
    return problems
  }

  /// A record of a device.
  func kept(_ device: DeviceID, _ kind: String, _ members: [String: JSONValue]) {
    guard kind.hasSuffix(Self.kind), let request = members["content"]?["csr"]?.string, request.utf8.count <= 16 << 10 else { return }
    let found = state.withLock { state -> (DeviceAuthority, Endpoint.Visitor, Bool)? in
      guard let configuration = state.configuration,
        let visitor = configuration.links.first(where: { $0.devices.contains { $0.id == device } })?.endpoint.visitor,
        let listener = configuration.listeners[visitor.listener], let authority = state.authorities[visitor.listener],
        state.underWay.insert(device).inserted
      else { return nil }
      return (authority, visitor, listener.login != .none)
    }
    guard let (authority, visitor, isProven) = found else { return }
    let use = members["content"]?["certificateType"]?.string
    Task {
      await sign(request, use, device, visitor, authority, isProven: isProven)
      state.withLock { _ = $0.underWay.remove(device) }
    }
  }

  private func sign(
    _ request: String, _ use: String?, _ device: DeviceID, _ visitor: Endpoint.Visitor, _ authority: DeviceAuthority, isProven: Bool
  ) async {
    func tell(_ what: String) { logger.warning("\(what)", metadata: ["device": "\(device)"]) }
    let asked = await desk.requirement(visitor.listener, visitor.identity)
    guard isProven || asked.login != .none else {
      return tell("a certificate is not signed: the device has shown nothing that proves who it is; give it a password")
    }
    let signed: (chain: String, notAfter: Int64)
    do throws(SecurityError) {
      signed = try authority.sign(request: request, for: visitor.identity, now: Clock.unixMilliseconds() / 1000)
    } catch {
      return tell("a certificate is not signed: \(error)")
    }
    var arguments: [String: JSONValue] = ["chain": .string(signed.chain)]
    if let use { arguments["use"] = .string(use) }
    let response = await arbiter.submit(
      CommandRequest(
        id: "sign-\(Clock.boot())", device: device, verb: .action(name: Self.action, arguments: arguments), time: Clock.unixMilliseconds(),
        owner: "busbar", role: .installer))
    guard [.done, .accepted].contains(response.status) else {
      return tell("a device has not taken its certificate: \(response.text ?? response.status.rawValue)")
    }
    logger.notice("a device has a new certificate", metadata: ["device": "\(device)", "until": "\(signed.notAfter)"])
  }
}

extension Configuration.Authority {
  /// Its certificate, which the listener trusts.
  func certificate(_ configuration: Configuration) -> String {
    switch self {
    case .host: DeviceAuthority.certificate(state: configuration.host.state)
    case .files(let files): files.certificate
    }
  }
}
