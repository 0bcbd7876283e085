// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarManagement
internal import BusbarModel
internal import BusbarSystem
internal import BusbarUplink
internal import Synchronization

/// Brings commands from the broker to the arbiter, and the host's own ones to the wiring.
final class UplinkCommands: UplinkHandler {
  private let arbiter: Arbiter
  private let role: Role
  private let count: CommandCount
  private let state = Mutex(State())

  // A closure that is a mutex's own value is wrapped once more at each access; in a field it is not.
  private struct State {
    var reload: (@Sendable () async throws(OperationError) -> JSONValue)?
    var restart: (@Sendable (String) async throws(OperationError) -> JSONValue)?
  }

  init(arbiter: Arbiter, role: Role, count: CommandCount) {
    self.arbiter = arbiter
    self.role = role
    self.count = count
  }

  func connect(
    reload: @escaping @Sendable () async throws(OperationError) -> JSONValue,
    restart: @escaping @Sendable (String) async throws(OperationError) -> JSONValue
  ) {
    state.withLock { state in
      state.reload = reload
      state.restart = restart
    }
  }

  func command(_ request: CommandRequest, reply: @escaping @Sendable (CommandResponse) -> Void) {
    Task {
      let response = await arbiter.submit(request)
      count.note(response)
      reply(response)
    }
  }

  func gatewayCommand(_ request: JSONValue, reply: @escaping @Sendable (CommandResponse) -> Void) {
    let id = request["id"]?.string ?? ""
    func refuse(_ reason: RefusalReason, _ text: String) {
      reply(CommandResponse(id: id, time: Clock.unixMilliseconds(), status: .refused, reason: reason, text: text))
    }
    let (reload, restart) = state.withLock { ($0.reload, $0.restart) }
    guard let reload, let restart else { return refuse(.unsupported, "the host is starting") }
    let action = request["action"]?.string ?? ""
    let plugin = request["plugin"]?.string
    guard ["reload", "restart-plugin"].contains(action) else {
      return refuse(.unsupported, "this release knows the actions reload and restart-plugin only")
    }
    guard role >= .installer else { return refuse(.notAuthorized, "\(action) needs the role installer or administrator") }
    guard action == "reload" || plugin != nil else { return refuse(.invalid, "restart-plugin needs \"plugin\", the plugin's id") }
    Task {
      do throws(OperationError) {
        _ = if let plugin, action != "reload" { try await restart(plugin) } else { try await reload() }
        reply(CommandResponse(id: id, time: Clock.unixMilliseconds(), status: .done))
      } catch {
        reply(CommandResponse(id: id, time: Clock.unixMilliseconds(), status: .failed, text: error.detail))
      }
    }
  }
}
