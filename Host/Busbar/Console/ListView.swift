// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// The host's lists as tables: one row an entry.
package enum ListView {
  /// `busbar devices`. `now` in Unix milliseconds.
  package static func devices(_ json: JSONValue, now: Int64) -> Table {
    var table = Table(
      [
        .init("device"), .init("name"), .init("type"), .init("state"), .init("for", .right), .init("link"),
        .init("value", .right), .init("reason"),
      ],
      empty: "no devices are configured")
    for device in json.array ?? [] {
      table.add([
        text(device, "id"), text(device, "name"), text(device, "type"), state(device), since(device, now),
        text(device, "link"),
        Table.Cell(headline(device)), text(device, "reason"),
      ])
    }
    return table
  }

  /// `busbar plugins`.
  package static func plugins(_ json: JSONValue) -> Table {
    var table = Table(
      [
        .init("plugin"), .init("version"), .init("state"), .init("isolation"), .init("adapters"), .init("file"),
        .init("reason"),
      ],
      empty: "no plugin files were found")
    for plugin in json.array ?? [] {
      table.add([
        text(plugin, "id"), text(plugin, "version"), state(plugin), text(plugin, "isolation"), text(plugin, "adapters"),
        text(plugin, "file"), text(plugin, "reason"),
      ])
    }
    return table
  }

  /// `busbar links`.
  package static func links(_ json: JSONValue) -> Table {
    var table = Table(
      [
        .init("link"), .init("adapter"), .init("endpoint"), .init("state"), .init("calls", .right),
        .init("overruns", .right),
        .init("devices"), .init("reason"),
      ], empty: "there are no links")
    for link in json.array ?? [] {
      table.add([
        text(link, "id"), text(link, "adapter"), text(link, "endpoint"), state(link), text(link, "calls"),
        text(link, "overruns"),
        text(link, "devices"), text(link, "reason"),
      ])
    }
    return table
  }

  /// The one value that says most of a device: its power, else its state of charge, else its status.
  private static func headline(_ device: JSONValue) -> String {
    for name in ["power", "soc", "status", "state"] {
      guard let entry = device["values"]?[name], let value = entry["value"], value != .null else { continue }
      let unit = entry["unit"]?.string ?? ""
      return unit.isEmpty ? Format.value(value) : "\(Format.value(value)) \(unit)"
    }
    return ""
  }

  private static func text(_ entry: JSONValue, _ key: String) -> Table.Cell {
    guard let member = entry[key], member != .null else { return "" }
    return Table.Cell(Format.value(member))
  }

  private static func state(_ entry: JSONValue) -> Table.Cell { HostView.stateCell(entry["state"]?.string ?? "") }

  private static func since(_ entry: JSONValue, _ now: Int64) -> Table.Cell {
    Table.Cell(entry["since"]?.integer.map { Format.age(now - $0) } ?? "")
  }
}
