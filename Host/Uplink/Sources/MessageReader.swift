// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import FoundationEssentials

/// Reads JSON that came from outside, within limits of size and depth that are checked before it is parsed.
enum MessageReader {
  static let sizeLimit = 64 * 1024
  static let depthLimit = 16

  enum Outcome {
    case object(JSONValue)
    /// It cannot be taken, but tells its id.
    case unacceptable(id: String, String)
    case unreadable(String)
  }

  static func read(_ payload: [UInt8]) -> Outcome {
    do throws(Failure) {
      return .object(try object(payload))
    } catch {
      return IDScanner.id(in: payload).map { .unacceptable(id: $0, error.why) } ?? .unreadable(error.why)
    }
  }

  private struct Failure: Error {
    var why: String
  }

  private static func object(_ payload: [UInt8]) throws(Failure) -> JSONValue {
    guard payload.count <= sizeLimit else { throw Failure(why: "it is larger than \(sizeLimit / 1024) KiB") }
    // NUL never stands in JSON, and without it no decoder takes the bytes for UTF-16 or UTF-32.
    guard !payload.contains(0), String(validating: payload, as: UTF8.self) != nil else {
      throw Failure(why: "it is not UTF-8 text")
    }
    guard depth(of: payload) <= depthLimit else {
      throw Failure(why: "its objects and arrays are nested deeper than \(depthLimit)")
    }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(payload)) else {
      throw Failure(why: "it is not JSON, or a number in it is out of range")
    }
    guard case .object = value else { throw Failure(why: "it is not a JSON object") }
    return value
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
