// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarConfiguration
internal import BusbarModel
internal import BusbarSecurity
internal import Synchronization

/// Nobody is locked out, and nobody's security lowered, without a word.
extension ListenerDesk {
  /// Why nobody could come in with this profile; nil where one can.
  func lack(_ visitor: Endpoint.Visitor, _ profile: Int, comesWithPassword: Bool) throws -> String? {
    let all = state.withLock { $0.abilities }
    if let lack = all.first(where: { $0.name == visitor.listener })?.lack(for: profile) {
      let why = "nothing was changed, since the device could not connect any more: \(lack)"
      guard let other = all.first(where: { $0.lack(for: profile) == nil })?.name else { return why }
      return why + ". Or let the device come to the listener \(other), with the endpoint \(VisitorName.endpoint(other, visitor.identity))"
    }
    guard profile == 1 || profile == 2, !comesWithPassword else { return nil }
    guard !knowsPassword(visitor.listener, visitor.identity, try store.get(visitor.listener, visitor.identity)) else { return nil }
    return "nothing was changed, since the device could not connect any more: it has no password, which security profile \(profile) needs; give "
      + "one along with the profile"
  }

  /// Why a device is not told to connect in another way; nil where it would be let in, or nothing of the kind is asked of it.
  /// `present`: the profile with which it came last.
  func objection(_ listener: String, _ identity: String, present: Int, _ arguments: [String: JSONValue]) -> String? {
    let orders = ProfileOrder.all(in: arguments)
    let all = state.withLock { $0.abilities }
    guard !orders.isEmpty, let own = all.first(where: { $0.name == listener }) else { return nil }
    let login = login(listener, identity)
    let standing = ProfileStanding(
      own: own, all: all, recorded: login?.profile ?? 0, present: present, hasPassword: knowsPassword(listener, identity, login))
    return orders.lazy.compactMap { $0.objection(standing) }.first
  }

  /// One that was set, one that the device was given and has not come with yet, or one that it showed as a candidate.
  private func knowsPassword(_ listener: String, _ identity: String, _ login: LoginStore.Login?) -> Bool {
    login?.secret != nil || login?.next != nil || state.withLock { $0.shown[VisitorName.endpoint(listener, identity)] != nil }
  }

  /// Devices that nobody can let in any more, because their listener has become less able than they have to be.
  func shutOut() -> [String] {
    state.withLock { $0.abilities }.compactMap { ability in
      guard ability.highest < 3 else { return nil }
      do {
        let count = try store.count(ability.name, above: ability.highest)
        guard count > 0, let lack = ability.lack(for: ability.highest + 1) else { return nil }
        let whom = count == 1 ? "1 device is" : "\(count) devices are"
        return "\(whom) not let in: \(lack). Or lower what they have to show: `busbar password set DEVICE --profile \(ability.highest)`"
      } catch {
        return "the passwords of devices cannot be read: \(error)"
      }
    }
  }
}

extension ListenerAbility {
  init(_ name: String, _ listener: Configuration.Listener) {
    let least =
      switch listener.login {
      case .none: 0
      case .password: 1
      case .certificate: 3
      }
    self.init(
      name: name, port: listener.listen.port, tls: listener.tls != .off,
      certificates: listener.tls != .off && (listener.clients != nil || listener.authority != nil), least: least)
  }
}
