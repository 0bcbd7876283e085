// SPDX-License-Identifier: Apache-2.0

extension DeviceMap {
  /// What keeps these from being one device together; nil where they fit, as those of a hybrid inverter do.
  package static func conflict(among maps: [DeviceMap]) -> String? {
    for (index, map) in maps.enumerated() {
      for other in maps.dropFirst(index + 1) {
        if let conflict = map.conflict(with: other) { return conflict }
      }
    }
    return nil
  }

  private func conflict(with other: DeviceMap) -> String? {
    let (own, foreign) = (points.readFields, other.points.readFields)
    if Set(own.map(\.address)) == Set(foreign.map(\.address)), points.map(\.name) == other.points.map(\.name) {
      return "the same template is there twice"
    }
    for field in own {
      let clash = foreign.first { candidate in
        guard candidate.address.table == field.address.table else { return false }
        let overlaps = candidate.address.register < field.end && field.address.register < candidate.end
        return overlaps && (candidate.type != field.type || candidate.address != field.address || candidate.count != field.count)
      }
      if let clash { return "\(field.address) is \(field.type.rawValue) in one and \(clash.address) \(clash.type.rawValue) in another" }
    }
    return nil
  }
}
