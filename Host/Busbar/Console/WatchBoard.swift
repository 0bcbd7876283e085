// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What `busbar watch` knows: the last values of the devices and their states, kept up by events.
package struct WatchBoard: Sendable {
  private struct Point {
    var value: JSONValue?
    /// Unix milliseconds; nil = never read.
    var time: Int64?
    /// `uncertain`, or why there is no value.
    var note: String?
  }

  private struct Device {
    var state = ""
    var reason = ""
    var points: [String: Point] = [:]
    var units: [String: String] = [:]
    var trends: [String: Trend] = [:]
  }

  private var devices: [String: Device] = [:]
  /// The time of the trends, `1h`; nil = none are shown.
  private var span: String?

  /// From the answer of `/devices`; only these devices, none = all.
  package init(_ list: JSONValue, only names: [String]) {
    for entry in list.array ?? [] {
      guard let id = entry["id"]?.string, names.isEmpty || names.contains(id) else { continue }
      var device = Device(state: entry["state"]?.string ?? "", reason: entry["reason"]?.string ?? "")
      for (name, value) in entry["values"]?.object ?? [:] {
        let quality = value["quality"]?.string
        var known = value["value"]
        if known == .some(.null) { known = .none }
        device.points[name] = Point(value: known, time: value["ts"]?.integer, note: quality == "good" ? nil : quality)
        device.units[name] = value["unit"]?.string
      }
      devices[id] = device
    }
  }

  /// Whether the unit of a point in this event has to be asked for.
  package func lacksUnits(for event: JSONValue) -> Bool {
    guard let id = event["device"]?.string else { return false }
    let known = devices[id]?.units ?? [:]
    return !(event["values"]?.object ?? [:]).keys.allSatisfy { known[$0] != nil }
  }

  /// From the answer of `/devices/{id}`; points it does not tell of have no unit.
  package mutating func learnUnits(_ device: JSONValue?, for event: JSONValue) {
    guard let id = event["device"]?.string else { return }
    let told = Self.units(device)
    devices[id, default: Device()].units.merge(told) { _, new in new }
    for name in event["values"]?.object?.keys ?? [:].keys where devices[id]?.units[name] == nil {
      devices[id]?.units[name] = ""
    }
  }

  package var ids: [String] { devices.keys.sorted() }

  /// From the answer of `/devices/{id}/history`; `span` is the time that it tells of.
  package mutating func learnTrends(_ history: JSONValue, of id: String, span: String) {
    self.span = span
    devices[id]?.trends = Trend.all(history)
  }

  /// Units by point, from the answer of `/devices/{id}`.
  package static func units(_ device: JSONValue?) -> [String: String] {
    var units: [String: String] = [:]
    for point in device?["points"]?.array ?? [] {
      if let name = point["name"]?.string { units[name] = point["unit"]?.string ?? "" }
    }
    return units
  }

  /// Takes an event in; true = it was a reading.
  package mutating func apply(_ event: JSONValue) -> Bool {
    guard let id = event["device"]?.string else { return false }
    if Self.isReading(event) {
      let time = event["ts"]?.integer
      let uncertain = event["uncertain"]?.array ?? []
      for (name, value) in event["values"]?.object ?? [:] {
        let note = uncertain.contains(.string(name)) ? "uncertain" : nil
        devices[id, default: Device()].points[name] = Point(value: value, time: time, note: note)
      }
      for (name, reason) in event["bad"]?.object ?? [:] {
        // The old value is not shown as if it were one; its time tells since when there is none.
        let last = devices[id]?.points[name]?.time
        devices[id, default: Device()].points[name] = Point(time: last, note: reason.string ?? "bad")
      }
      return true
    }
    if let state = event["state"]?.string {
      devices[id, default: Device()].state = state
      devices[id]?.reason = event["reason"]?.string ?? ""
    }
    return false
  }

  package static func isReading(_ event: JSONValue) -> Bool { event["values"] != nil || event["bad"] != nil }

  /// For a pipe: `time device point value unit` with tabs between, for each point of a reading. Where a value is uncertain
  /// or missing, a sixth field says so.
  package func lines(_ event: JSONValue) -> [String] {
    guard let id = event["device"]?.string, Self.isReading(event) else { return [] }
    let time = event["ts"]?.integer.map { Format.time($0) } ?? "-"
    let units = devices[id]?.units ?? [:]
    let uncertain = event["uncertain"]?.array ?? []
    var fields: [(point: String, value: String, note: String?)] = []
    for (name, value) in event["values"]?.object ?? [:] {
      fields.append((name, Format.value(value), uncertain.contains(.string(name)) ? "uncertain" : nil))
    }
    for (name, reason) in event["bad"]?.object ?? [:] { fields.append((name, "-", reason.string ?? "bad")) }
    return fields.sorted { $0.point < $1.point }.map { field in
      let columns = [time, id, field.point, field.value, units[field.point] ?? ""] + (field.note.map { [$0] } ?? [])
      return columns.map(printable).joined(separator: "\t")
    }
  }

  /// For a terminal; `now` in Unix milliseconds.
  package func table(now: Int64) -> Table {
    var columns: [Table.Column] = [
      .init("device"), .init("point"), .init("value", .right), .init("unit"), .init("age", .right), .init("state"),
    ]
    if let span {
      // Last, so that a narrow terminal does without them.
      columns += [.init("minimum", .right), .init("mean", .right), .init("maximum", .right), .init("last \(span)")]
    }
    var table = Table(columns, empty: "no devices")
    for (id, device) in devices.sorted(by: { $0.key < $1.key }) {
      var state = HostView.stateCell(device.state)
      if !device.reason.isEmpty { state = Table.Cell("\(device.state): \(device.reason)", state.tone) }
      if device.points.isEmpty { table.add([Table.Cell(id), "-", "-", "", "", state]) }
      for (index, (name, point)) in device.points.sorted(by: { $0.key < $1.key }).enumerated() {
        let note = point.note.map { Table.Cell($0, point.value == nil ? .bad : .warning) }
        let trend = device.trends[name].map { $0.cells + [Table.Cell($0.course)] } ?? []
        table.add([
          index == 0 ? Table.Cell(id) : "", Table.Cell(name), Table.Cell(Format.value(point.value)),
          Table.Cell(device.units[name] ?? ""), Table.Cell(point.time.map { Format.age(now - $0) } ?? "-"),
          note ?? state,
        ] + (span == nil ? [] : trend))
      }
    }
    return table
  }
}
