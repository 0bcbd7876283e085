// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Answers that could not be recorded, kept in memory as long as the host runs; the oldest go first.
struct RecentResponses {
  static let capacity = 1024

  private var byID: [String: CommandResponse] = [:]
  private var order: [String] = []

  subscript(_ id: String) -> CommandResponse? { byID[id] }

  mutating func add(_ response: CommandResponse) {
    if byID.updateValue(response, forKey: response.id) == nil { order.append(response.id) }
    if order.count > Self.capacity { byID[order.removeFirst()] = nil }
  }
}
