// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON

/// What happened at a charger, as documents for the record: `ocpp.security-event-notification` and the like, with the content
/// as the charger said it.
enum EventDocument {
  /// A record of the contract has at most 16 KiB; this leaves room for its head.
  private static let longest = 15_000

  /// Letters, digits, dots and hyphens, at most 64.
  static func kind(_ action: String) -> String {
    var kind = "ocpp."
    var wasSmall = false
    for character in action.unicodeScalars.prefix(40) where character.isASCII {
      let isCapital = ("A"..."Z").contains(character)
      guard isCapital || ("a"..."z").contains(character) || ("0"..."9").contains(character) else { continue }
      if isCapital, wasSmall { kind += "-" }
      wasSmall = !isCapital
      kind += String(Character(character)).lowercased()
    }
    return kind
  }

  /// A long report comes in parts, each with a number and how many there are.
  static func parts(_ action: String, _ content: JSON) -> [JSON] {
    let document = whole(action, content)
    guard document.bytes.count > longest else { return [document] }
    guard let items = content["items"]?.array, items.count > 1 else {
      return [.object(["ts": .integer(Moment.now.unix), "action": .string(action), "text": .string(content.text.cut(to: 3_000)), "truncated": true])]
    }
    var groups: [[JSON]] = [[]]
    var size = 0
    for item in items {
      let length = item.bytes.count + 1
      if size + length > longest - 500, !(groups.last?.isEmpty ?? true) {
        groups.append([])
        size = 0
      }
      groups[groups.count - 1].append(item)
      size += length
    }
    return groups.enumerated().flatMap { index, group in
      var part = content
      part["items"] = .array(group)
      part["part"] = .integer(Int64(index + 1))
      part["parts"] = .integer(Int64(groups.count))
      // One item that is too long alone.
      return group.count > 1 || whole(action, part).bytes.count <= longest ? [whole(action, part)] : parts(action, ["long": part])
    }
  }

  private static func whole(_ action: String, _ content: JSON) -> JSON {
    ["ts": .integer(Moment.now.unix), "action": .string(action), "content": content]
  }
}
