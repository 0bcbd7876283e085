// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// Registers in flash: what is there already is not written again, and writes have a budget that survives restarts.
extension ModbusAdapter {
  /// Leaves out what the device holds already. True where nothing is left.
  func skipHeld(_ write: inout Write, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Bool {
    guard write.rule.wear != nil else { return false }
    var missing: [WriteRule.Step] = []
    for step in write.planned where try words(of: step.field, device, call) != step.words { missing.append(step) }
    write.steps = missing
    return missing.isEmpty
  }

  /// Takes the writes out of their budgets, on disk before anything is sent. Throws where one is used up; a safe value is
  /// counted and never held back.
  func spare(_ write: Write, _ device: ModbusDevice, _ call: borrowing Call, dryRun: Bool = false) throws(AdapterError) {
    guard let budget = write.rule.wear else { return }
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    var accounts: [(key: String, account: WearAccount)] = []
    for step in write.steps {
      let key = "wear/\(device.unit)/\(step.field.address.register)"
      var account =
        device.wear[key] ?? link.stored(key, call).flatMap { WearAccount($0) } ?? WearAccount(budget, now: now)
      let wait = account.wait(budget, now: now)
      guard wait == 0 || write.isSafe else {
        throw AdapterError(
          .device, reason: UInt32(BB_REASON_WEAR),
          "\(write.name): \(step.field.address) wears with each write, and its \(budget.writes) writes in "
            + "\(Self.text(Int64(budget.within))) are used up; the next one is there in \(Self.text(wait))")
      }
      account.spend(budget)
      accounts.append((key, account))
    }
    guard !dryRun else { return }
    for (key, account) in accounts {
      device.wear[key] = account
      do {
        try link.store(account.bytes, as: key, call)
      } catch {
        // A budget that is forgotten at the next start is no budget.
        guard write.isSafe else { throw error }
        link.log(.warning, "\(write.name): the budget of writes could not be stored: \(error.message)")
      }
    }
  }

  private static func text(_ milliseconds: Int64) -> String {
    switch milliseconds {
    case ..<60_000: "\((milliseconds + 999) / 1_000) s"
    case ..<7_200_000: "\((milliseconds + 59_999) / 60_000) min"
    default: "\((milliseconds + 3_599_999) / 3_600_000) h"
    }
  }
}
