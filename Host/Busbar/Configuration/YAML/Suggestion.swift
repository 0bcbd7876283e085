// SPDX-License-Identifier: Apache-2.0

/// "Did you mean": names that differ by a slip of the finger.
enum Suggestion {
  /// The nearest name, where one is near: at most a third of its letters differ, and at most 3.
  static func near(_ name: String, in names: some Sequence<String>) -> String? {
    let wanted = fold(name)
    guard wanted.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in names.sorted() where candidate.utf8.count <= 64 {
      let distance = distance(wanted, fold(candidate))
      guard distance <= min(3, max(1, candidate.utf8.count / 3)), distance < best?.distance ?? .max else { continue }
      best = (candidate, distance)
    }
    return best?.name
  }

  /// `, did you mean "poll"?`, or nothing.
  static func question(_ name: String, in names: some Sequence<String>) -> String {
    near(name, in: names).map { ", did you mean \"\($0)\"?" } ?? ""
  }

  /// "a, b or c"; the rest is counted where there are many.
  static func list(_ names: some Sequence<String>, limit: Int = 24) -> String {
    let names = Array(names)
    if names.count > limit { return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more" }
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }

  private static func fold(_ name: String) -> [UInt8] {
    name.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
  }

  /// Letters to insert, drop, change or swap.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var older: [Int] = []
    var last = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var row = [i + 1]
      for (j, b) in right.enumerated() {
        var cost = min(last[j] + (a == b ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { cost = min(cost, older[j - 1] + 1) }
        row.append(cost)
      }
      older = last
      last = row
    }
    return last[right.count]
  }
}
