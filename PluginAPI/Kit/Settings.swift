// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// Settings by JSON pointer (RFC 6901), for adapters that want no JSON parser (config.h).
@safe public struct Settings {
  private let host: Host
  private let document: String

  /// `document` is the JSON text that the adapter was handed.
  public init(_ document: String, _ call: borrowing Call) {
    host = call.host
    self.document = document
  }

  /// A number, or a boolean as 0 or 1; nil where there is none at that place.
  public func number(_ pointer: String) -> Double? {
    guard let read = unsafe host.config?.pointee.get_number else { return nil }
    var value = 0.0
    let status = unsafe withText(document) { document in
      unsafe withText(pointer) { unsafe read(host.table, document, $0, &value) }
    }
    return status < 0 ? nil : value
  }

  /// A text of at most 1,024 bytes, or any other value as its JSON text; nil where there is none at that place.
  public func text(_ pointer: String) -> String? {
    guard let read = unsafe host.config?.pointee.get_text else { return nil }
    var bytes = [UInt8](repeating: 0, count: 1024)
    var length: UInt32 = 0
    let status = unsafe withText(document) { document in
      unsafe withText(pointer) { unsafe read(host.table, document, $0, &bytes, UInt32(bytes.count), &length) }
    }
    return status < 0 ? nil : String(decoding: bytes.prefix(Int(length)), as: UTF8.self)
  }
}
