// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension YAMLNode {
  /// A tree from elsewhere, such as an entry of the registry, so that it is checked like what stands in a file.
  package init(json: JSONValue, place: Place) {
    let (content, source): (Content, String) =
      switch json {
      case .null: (.null, "")
      case .boolean(let value): (.boolean(value), "")
      case .integer(let value): (.integer(value), "\(value)")
      case .number(let value): (.number(value), "\(value)")
      case .string(let value): (.text(value), value)
      case .array(let items): (.sequence(items.map { YAMLNode(json: $0, place: place) }), "")
      case .object(let members):
        (
          .mapping(
            members.sorted { $0.key < $1.key }.map {
              YAMLMember(key: $0.key, place: place, value: YAMLNode(json: $0.value, place: place))
            }), ""
        )
      }
    self.init(content, place: place, source: source)
  }
}
