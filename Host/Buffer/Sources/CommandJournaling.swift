// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The durable memory of commands: what was asked, how it ended, and which safe values are owed. Every call is on disk
/// when it returns.
package protocol CommandJournaling: Sendable {
  /// Enters a request. `digest` tells a repeated request from another one under the same id.
  func enter(id: String, device: DeviceID, digest: String, time: Int64) throws -> JournalEntry
  /// The command is about to leave for the device.
  func sent(id: String) throws
  /// How it ended; answered again to the same id from now on.
  func finish(id: String, response: CommandResponse) throws
  /// Commands that were sent and not finished when the host ended.
  func unfinished() throws -> [UnfinishedCommand]

  /// A value other than the safe one is about to be written to this point: owed until `settled`.
  func owe(_ debt: SafeValueDebt) throws
  func settled(device: DeviceID, point: String) throws
  /// Safe values that are owed from before the start, oldest first.
  func debts() throws -> [SafeValueDebt]
}

package enum JournalEntry: Sendable, Equatable {
  /// Never seen: carry it out.
  case new
  /// The same request was answered already: answer it again.
  case finished(CommandResponse)
  /// The same request is being carried out now.
  case running
  /// Another request had this id.
  case different
}

package struct UnfinishedCommand: Sendable, Equatable {
  package var id: String
  package var device: DeviceID

  package init(id: String, device: DeviceID) {
    self.id = id
    self.device = device
  }
}

package struct SafeValueDebt: Sendable, Equatable {
  package var device: DeviceID
  package var point: String
  package var safe: Value

  package init(device: DeviceID, point: String, safe: Value) {
    self.device = device
    self.point = point
    self.safe = safe
  }
}
