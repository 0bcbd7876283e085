// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// `busbar discover`: a search and what it found, for people.
package enum SearchView {
  /// `now` in Unix milliseconds.
  package static func candidates(_ found: [JSONValue], now: Int64) -> Table {
    var table = Table(
      [
        .init("candidate"), .init("type"), .init("vendor"), .init("model"), .init("serial"), .init("endpoint"),
        .init("config"), .init("sure", .right), .init("state"), .init("device"), .init("seen", .right), .init("note"),
      ],
      empty: "nothing was found")
    for entry in found {
      func text(_ key: String) -> Table.Cell {
        guard let member = entry[key], member != .null else { return "" }
        return Table.Cell(Format.value(member))
      }
      let config = (entry["config"]?.object ?? [:]).sorted { $0.key < $1.key }
      let state = entry["state"]?.string ?? ""
      let age = entry["last_seen"]?.integer.map { Format.age(now - $0) } ?? ""
      table.add([
        text("candidate"), text("type"), text("vendor"), text("model"), text("serial"), text("endpoint"),
        Table.Cell(config.map { "\($0.key)=\(Format.value($0.value))" }.joined(separator: " ")),
        Table.Cell("\(Int(((entry["confidence"]?.number ?? 0) * 100).rounded())) %"),
        Table.Cell(state, state == "moved" ? .warning : state == "known" ? .faint : .good),
        state == "new" ? text("suggested_id") : text("device"), Table.Cell(age), text("note"),
      ])
    }
    return table
  }

  /// One line: how far it is.
  package static func progress(_ search: JSONValue) -> String {
    var parts: [String] = []
    let addresses = search["addresses"]
    if let total = addresses?["total"]?.integer, total > 0 {
      parts.append("addresses \(addresses?["asked"]?.integer ?? 0) of \(total)")
    }
    let connections = search["connections"]?.array ?? []
    if !connections.isEmpty {
      let over = connections.count { $0["state"] != "running" }
      parts.append("connections \(over) of \(connections.count)")
      if let running = connections.first(where: { $0["state"] == "running" && ($0["total"]?.integer ?? 0) > 0 }) {
        let done = running["done"]?.integer ?? 0
        let total = max(1, running["total"]?.integer ?? 1)
        parts.append("\(Format.value(running["endpoint"])) \(min(99, done * 100 / total)) %")
      }
    }
    parts.append("found \(search["found"]?.integer ?? 0)")
    return printable("searching: " + parts.joined(separator: ", "))
  }

  /// What could not be searched.
  package static func problems(_ search: JSONValue) -> [String] {
    let failed = (search["connections"]?.array ?? []).compactMap { connection in
      connection["reason"]?.string.map { "\(Format.value(connection["endpoint"])): \($0)" }
    }
    return (search["problems"]?.array ?? []).compactMap(\.string) + failed
  }

  /// Nil where the search was worth something. `named`: a person named endpoints.
  package static func failure(_ search: JSONValue, named: Bool) -> String? {
    if search["state"] == "cancelled" { return "the search was cancelled" }
    let connections = search["connections"]?.array ?? []
    let addresses = search["addresses"]?["total"]?.integer ?? 0
    guard named, addresses == 0, connections.allSatisfy({ $0["state"] == "failed" }) else { return nil }
    return "nothing could be searched"
  }
}

/// A line that is drawn again and again on standard error, where that is a terminal.
package struct SearchLine: Sendable {
  private let width: Int?
  private var isDrawn = false

  package init() { width = Terminal.on(2)?.width }

  package mutating func draw(_ text: String) {
    guard let width else { return }
    isDrawn = true
    StandardError.draw("\r\(text.prefix(max(10, width - 1)))\u{1B}[K")
  }

  package mutating func clear() {
    guard isDrawn else { return }
    isDrawn = false
    StandardError.draw("\r\u{1B}[K")
  }
}
