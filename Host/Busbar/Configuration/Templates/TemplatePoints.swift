// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The checks of points that hold for every adapter: names, units, labels, safe values and what a kind must have
/// (interfaces 5). Looks at `points` of the body: `NAME: { unit, enum, write, setting, safe }`.
struct TemplatePoints {
  /// Nil where the file does not say it rightly; then what depends on it is not checked.
  let kind: DeviceKind?
  let sink: DiagnosticSink

  /// The names of the points; nil where the body has none.
  func check(_ body: YAMLNode, key: String) -> [String]? {
    guard let node = body["points"] else { return nil }
    let path = "\(key).points"
    guard let members = node.members else {
      sink.error(node.place, path, "found \(node.found)", expected: "a map of points")
      return nil
    }
    for member in members { check(member, key: "\(path).\(member.key)") }
    let names = members.map(\.key)
    let missing = kind.map { PointNames.required($0).filter { !$0.contains(where: names.contains) } } ?? []
    for group in missing {
      let wanted = group.joined(separator: " or ")
      sink.error(
        node.place, group.count == 1 ? "\(path).\(wanted)" : path,
        "a device of kind \(kind?.rawValue ?? "") must have \(wanted)", expected: "the point \(wanted)")
    }
    return names
  }

  private func check(_ member: YAMLMember, key: String) {
    let name = member.key
    guard Name.isSnakeCase(name) else {
      sink.error(
        member.place, key, "\"\(YAMLNode.short(name))\" is no name for a point",
        expected: "snake_case: lower case letters, digits and _, a letter first, 64 at most")
      return
    }
    guard member.value.members != nil else {
      sink.error(member.value.place, key, "found \(member.value.found)", expected: "a map that describes the point")
      return
    }
    unit(member, key: key)
    labels(member, key: key)
    safe(member, key: key)
  }

  private func unit(_ member: YAMLMember, key: String) {
    let node = member.value["unit"]
    let unit = node?.text ?? ""
    let place = node?.place ?? member.place
    let path = "\(key).unit"
    if let node, node.text == nil {
      sink.error(place, path, "found \(node.found)", expected: Suggestion.list(PointNames.units))
    } else if let wanted = kind.flatMap({ PointNames.unit(of: member.key, kind: $0) }) {
      // What has no dimension may say so or not.
      let plain = wanted.isEmpty || wanted == "1"
      guard unit != wanted, !(plain && (unit.isEmpty || unit == "1")) else { return }
      let found = node == nil ? "the unit is missing" : "the unit of \(member.key) is not \(YAMLNode.short(unit))"
      sink.error(place, path, found, expected: wanted.isEmpty ? "no unit" : wanted + scale(from: unit, to: wanted))
    } else if !unit.isEmpty, !PointNames.units.contains(unit) {
      let near = PointNames.units.first { $0.lowercased() == unit.lowercased() } ?? prefixed(unit)
      let question = near.map { ", did you mean \"\($0)\"?" } ?? ""
      sink.error(
        place, path, "there is no unit \"\(YAMLNode.short(unit))\"\(question)",
        expected: Suggestion.list(PointNames.units))
    }
  }

  /// "Wh" for "kWh", "MWh" or "mWh".
  private func prefixed(_ unit: String) -> String? {
    let rest = String(unit.dropFirst())
    return ["k", "M", "G", "m"].contains(unit.prefix(1)) && PointNames.units.contains(rest) ? rest : nil
  }

  private func scale(from unit: String, to wanted: String) -> String {
    prefixed(unit) == wanted ? ", with a scale in the register" : ""
  }

  private func labels(_ member: YAMLMember, key: String) {
    guard let node = member.value["enum"] else { return }
    let path = "\(key).enum"
    guard let entries = node.members else {
      sink.error(
        node.place, path, "found \(node.found)", expected: "a map of numbers and labels, such as { 0: off, 1: running }"
      )
      return
    }
    let known = kind.flatMap { PointNames.labels(of: member.key, kind: $0) }
    for entry in entries {
      guard let label = entry.value.text, !label.isEmpty, label.utf8.count <= 64 else {
        sink.error(
          entry.value.place, "\(path).\(entry.key)", "found \(entry.value.found)",
          expected: "a label, a text of at most 64 bytes")
        continue
      }
      guard let known, !known.contains(label) else { continue }
      sink.error(
        entry.value.place, "\(path).\(entry.key)",
        "\(member.key) of kind \(kind?.rawValue ?? "") is never \"\(YAMLNode.short(label))\"\(Suggestion.question(label, in: known))",
        expected: Suggestion.list(known))
    }
  }

  private func safe(_ member: YAMLMember, key: String) {
    let point = member.value
    guard let write = point["write"], !write.isNull, write.json != false else { return }
    let setting = point["setting"]
    if let setting, setting.json.boolean == nil {
      sink.error(setting.place, "\(key).setting", "found \(setting.found)", expected: "true or false")
    }
    guard let safe = point["safe"], !safe.isNull else {
      guard setting?.json != true else { return }
      sink.error(
        member.place, "\(key).safe", "the point is writable and has no safe value",
        expected: "\"safe:\" with the value to write when a lease ends, or \"setting: true\" for one that lasts")
      return
    }
    let labels = point["enum"]?.members?.compactMap(\.value.text)
    if safe.members != nil || safe.items != nil {
      sink.error(safe.place, "\(key).safe", "found \(safe.found)", expected: "a number, true, false or a label")
    } else if let labels, let label = safe.text, !labels.contains(label) {
      sink.error(
        safe.place, "\(key).safe", "found \(safe.found)\(Suggestion.question(label, in: labels))",
        expected: "one of the point's labels: \(Suggestion.list(labels))")
    }
  }
}
