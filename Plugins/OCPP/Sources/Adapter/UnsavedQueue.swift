// SPDX-License-Identifier: Apache-2.0

internal import PluginKit

/// What has to be on disk before the charger hears of it, and is not yet.
struct UnsavedQueue {
  enum Item {
    case value(key: String, [UInt8])
    case document(kind: String, String)
  }

  /// More is not kept: then the oldest document goes, and the log says so. Values take the place of older ones of their key.
  private static let mostDocuments = 64

  private var items: [Item] = []

  var isEmpty: Bool { items.isEmpty }

  /// False where a document had to go for it.
  mutating func add(_ item: Item) -> Bool {
    if case .value(let key, _) = item {
      items.removeAll { if case .value(key, _) = $0 { true } else { false } }
    }
    items.append(item)
    let documents = items.indices.filter { if case .document = items[$0] { true } else { false } }
    guard documents.count > Self.mostDocuments, let oldest = documents.first else { return true }
    items.remove(at: oldest)
    return false
  }

  var first: Item? { items.first }

  mutating func removeFirst() { items.removeFirst() }
}
