// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// Lends a Swift string to a plugin for one call.
func withLentText<Result>(_ text: String, _ body: (bb_str_t) -> Result) -> Result {
  var text = text
  return text.withUTF8 { bytes in
    var lent = unsafe bb_str_t()
    unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe lent.data = $0.baseAddress }
    unsafe lent.length = UInt32(bytes.count)
    return unsafe body(lent)
  }
}

/// Lends several strings for one call, in their order.
func withLentTexts<Result>(_ texts: [String], _ body: ([bb_str_t]) -> Result) -> Result {
  let characters = texts.flatMap(\.utf8).map { CChar(bitPattern: $0) }
  return unsafe characters.withUnsafeBufferPointer { characters in
    var start = 0
    let lent = unsafe texts.map { text in
      var lent = unsafe bb_str_t()
      unsafe lent.data = characters.baseAddress?.advanced(by: start)
      unsafe lent.length = UInt32(text.utf8.count)
      start += text.utf8.count
      return unsafe lent
    }
    return unsafe body(lent)
  }
}

/// A copy of what a plugin lent, cut to a limit in bytes. What is no UTF-8 is replaced.
func copied(_ lent: bb_str_t, limit: Int) -> String {
  guard let data = unsafe lent.data else { return "" }
  let bytes = unsafe UnsafeRawBufferPointer(start: data, count: min(limit, Int(lent.length)))
  return unsafe String(decoding: bytes, as: UTF8.self)
}

func copied(_ lent: bb_bytes_t, limit: Int) -> [UInt8] {
  guard let data = unsafe lent.data else { return [] }
  return unsafe Array(UnsafeBufferPointer(start: data, count: min(limit, Int(lent.length))))
}
