// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension YAMLNode {
  /// A tree from elsewhere, such as an entry of the registry, so that it is checked like what stands in a file.
  package init(_ json: JSONValue, place: Place) {
    switch json {
    case .null: self.init(.null, place: place)
    case .boolean(let value): self.init(.boolean(value), place: place)
    case .integer(let value): self.init(.integer(value), place: place, source: "\(value)")
    case .number(let value): self.init(.number(value), place: place, source: "\(value)")
    case .string(let value): self.init(.text(value), place: place, source: value)
    case .array(let items): self.init(.sequence(items.map { YAMLNode($0, place: place) }), place: place)
    case .object(let members):
      self.init(
        .mapping(
          members.sorted { $0.key < $1.key }.map {
            YAMLMember(key: $0.key, place: place, value: YAMLNode($0.value, place: place))
          }), place: place)
    }
  }
}
