// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import Synchronization

/// How many commands had which answer since the start, from wherever they came.
final class CommandCount: Sendable {
  private let counts = Mutex<[CommandResponse.Status: Int]>([:])

  func note(_ response: CommandResponse) { counts.withLock { $0[response.status, default: 0] += 1 } }

  /// Every status with its number, 0 included.
  var json: JSONValue {
    let counts = counts.withLock { $0 }
    let members = CommandResponse.Status.allCases.map { ($0.rawValue, JSONValue.integer(Int64(counts[$0] ?? 0))) }
    return .object(Dictionary(uniqueKeysWithValues: members))
  }
}
