// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The host's answers as tables.
package enum HostView {
  /// `busbar status`. `now` in Unix milliseconds.
  package static func status(_ json: JSONValue, now: Int64) -> Table {
    facts(
      json, first: ["id", "version", "role", "state", "since", "devices", "uplink", "buffer", "plugins", "listeners", "alarms"],
      now: now)
  }

  /// `busbar buffer status`.
  package static func buffer(_ json: JSONValue, now: Int64) -> Table {
    facts(
      json, first: ["messages", "bytes", "oldest", "dropped", "problem", "commit_ms", "size", "path"], now: now)
  }

  /// `busbar reload`: what the host did with the configuration.
  package static func reload(_ json: JSONValue) -> Table {
    var table = facts(json, first: ["added", "removed", "changed", "unchanged", "links", "settings"], now: 0, but: ["restart", "problems"])
    let pending = json["restart"]?.array ?? []
    table.add([
      Table.Cell("restart", .faint),
      pending.isEmpty
        ? Table.Cell("none") : Table.Cell("\(names(pending)) (not applied: counts from the next start of the host)", .warning),
    ])
    if let problems = json["problems"]?.array, !problems.isEmpty {
      table.add([Table.Cell("problems", .faint), Table.Cell(names(problems), .bad)])
    }
    return table
  }

  /// Members one below the other, those of objects with their path: `devices.online`.
  private static func facts(
    _ json: JSONValue, first order: [String], now: Int64, but left: Set<String> = []
  ) -> Table {
    var facts: [(String, Table.Cell)] = []
    let members = json.object ?? [:]
    let rest = members.keys.filter { !order.contains($0) && !left.contains($0) }.sorted()
    for name in order + rest {
      guard let member = members[name] else { continue }
      append(name, member, now: now, to: &facts)
    }
    return Table(facts: facts)
  }

  private static func append(_ name: String, _ json: JSONValue, now: Int64, to facts: inout [(String, Table.Cell)]) {
    if case .object(let members) = json {
      for (key, member) in members.sorted(by: { $0.key < $1.key }) {
        append("\(name).\(key)", member, now: now, to: &facts)
      }
      return
    }
    facts.append((name, cell(name.split(separator: ".").last ?? "", json, now: now)))
  }

  private static func cell(_ name: Substring, _ json: JSONValue, now: Int64) -> Table.Cell {
    switch (name, json) {
    case ("state", .string(let state)): return stateCell(state)
    case ("since", _), ("oldest", _):
      guard let time = json.integer else { return Table.Cell(Format.value(json)) }
      return Table.Cell("\(Format.time(time)) (\(Format.age(now - time)))")
    case ("bytes", _), ("size", _): return Table.Cell(json.integer.map { Format.size($0) } ?? Format.value(json))
    case ("problem", .string): return Table.Cell(Format.value(json), .bad)
    case ("alarms", .array(let alarms)) where !alarms.isEmpty: return Table.Cell(alarms.map(alarm).joined(separator: "; "), .warning)
    case ("listeners", .array(let items)):
      return Table.Cell(names(items), items.contains { $0["state"]?.string == "failed" } ? .bad : .plain)
    case (_, .array(let items)): return Table.Cell(names(items))
    default: return Table.Cell(Format.value(json))
    }
  }

  /// Of a device its name, of the host itself with the sentence that it has.
  private static func alarm(_ json: JSONValue) -> String {
    guard let text = json["text"]?.string else { return names([json]) }
    return "\(names([json])) (\(text))"
  }

  /// Entries of a list by what names them: a plugin, a lease, an alarm.
  private static func names(_ items: [JSONValue]) -> String {
    guard !items.isEmpty else { return "none" }
    return items.map { item in
      let text = { (key: String) in item[key]?.string }
      if let device = text("device"), let point = text("point") {
        return "\(device) \(point)=\(Format.value(item["value"])) by \(text("owner") ?? "-")"
      }
      guard let name = text("id") ?? text("name") ?? text("file") else { return Format.value(item) }
      return [text("device"), name, text("state")].compactMap { $0 }.joined(separator: " ")
    }.joined(separator: ", ")
  }

  /// The text of a state, in the colour of its meaning.
  package static func stateCell(_ state: String) -> Table.Cell {
    switch state {
    case "online", "loaded", "connected", "open", "done": Table.Cell(state, .good)
    case "connecting", "degraded", "accepted", "retired", "starting", "restarting": Table.Cell(state, .warning)
    case "offline", "stuck", "needs-attention", "refused", "quarantined", "failed", "closed": Table.Cell(state, .bad)
    default: Table.Cell(state)
    }
  }
}
