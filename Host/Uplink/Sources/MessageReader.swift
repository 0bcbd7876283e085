// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import FoundationEssentials

/// Reads JSON that came from outside, within limits of size and depth that are checked before it is parsed.
enum MessageReader {
  static let sizeLimit = 64 * 1024
  static let depthLimit = 16

  enum Outcome {
    case object(JSONValue)
    /// It is JSON with a usable id, and yet not acceptable.
    case unacceptable(id: String, String)
    case unreadable(String)
  }

  static func read(_ payload: [UInt8]) -> Outcome {
    guard payload.count <= sizeLimit else { return .unreadable("it is larger than \(sizeLimit / 1024) KiB") }
    // NUL never stands in JSON, and without it no decoder takes the bytes for UTF-16 or UTF-32.
    guard !payload.contains(0), String(validating: payload, as: UTF8.self) != nil else {
      return .unreadable("it is not UTF-8 text")
    }
    guard depth(of: payload) <= depthLimit else {
      return .unreadable("its objects and arrays are nested deeper than \(depthLimit)")
    }
    let data = Data(payload)
    let decoder = JSONDecoder()
    if let value = try? decoder.decode(JSONValue.self, from: data) {
      guard case .object = value else { return .unreadable("it is not a JSON object") }
      return .object(value)
    }
    // A number that no Double can hold fails the whole; the id may be readable by itself.
    guard let id = try? decoder.decode(Identified.self, from: data).id else { return .unreadable("it is not JSON") }
    return .unacceptable(id: id, "a number in it is out of range")
  }

  private struct Identified: Decodable {
    var id: String
  }

  /// How deep objects and arrays are nested, by their brackets outside of strings.
  private static func depth(of payload: [UInt8]) -> Int {
    var depth = 0
    var deepest = 0
    var inString = false
    var escaped = false
    for byte in payload {
      if inString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
    }
    return deepest
  }
}
