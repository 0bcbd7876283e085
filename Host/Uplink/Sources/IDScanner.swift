// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import FoundationEssentials

/// Finds the id in a request that is no JSON: cut off, nested too deep, with a comma too many or a byte that is no text.
/// Whoever sent it then learns that it was refused, instead of waiting.
enum IDScanner {
  private static let key = Array("id".utf8)
  /// Longer ones are not looked at.
  private static let longest = 1024

  /// The text of the member `id` of the outermost object, the first where there are several; nil where it cannot be
  /// told. Goes over the bytes once.
  static func id(in bytes: [UInt8]) -> String? {
    var place = 0
    func skipBlanks() {
      while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }
    skipBlanks()
    guard place < bytes.count, bytes[place] == UInt8(ascii: "{") else { return nil }
    place += 1
    var depth = 1
    var isValueOfID = false
    while place < bytes.count, depth > 0 {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        guard let end = end(of: place, in: bytes) else { return nil }
        let text = bytes[place...end]
        place = end + 1
        guard depth == 1 else { continue }
        if isValueOfID { return decoded(text) }
        skipBlanks()
        guard place < bytes.count, bytes[place] == UInt8(ascii: ":") else { continue }
        place += 1
        isValueOfID = text.dropFirst().dropLast().elementsEqual(key)
        if isValueOfID { skipBlanks() }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      isValueOfID = false
      place += 1
    }
    return nil
  }

  /// Where the string that begins here has its closing quote.
  private static func end(of start: Int, in bytes: [UInt8]) -> Int? {
    var place = start + 1
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""): return place
      case UInt8(ascii: "\\"): place += 2
      default: place += 1
      }
    }
    return nil
  }

  private static func decoded(_ quoted: ArraySlice<UInt8>) -> String? {
    guard quoted.count <= longest, case .array(let items)? = try? JSONValue(parsing: Array("[".utf8) + quoted + Array("]".utf8)) else { return nil }
    return items.first?.string
  }
}
