// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// Small values of a link that survive restarts (store.h).
extension Link {
  /// Longest value, bytes.
  private static let longestValue = 4_096

  /// Nil where there is none, or the host keeps none.
  public func stored(_ key: String, _ call: borrowing Call) -> [UInt8]? {
    guard let get = unsafe host.store?.pointee.get else { return nil }
    var value = [UInt8](repeating: 0, count: Self.longestValue)
    var length: UInt32 = 0
    let status = unsafe withText(key) { unsafe get(host.table, call.pointer, id, $0, &value, UInt32(value.count), &length) }
    guard status >= 0, Int(length) <= value.count else { return nil }
    value.removeLast(value.count - Int(length))
    return value
  }

  /// On disk when it returns. `key` has up to 64 bytes, `value` up to 4,096; an empty one removes the key.
  public func store(_ value: [UInt8], as key: String, _ call: borrowing Call) throws(AdapterError) {
    guard let set = unsafe host.store?.pointee.set else {
      throw AdapterError(.config, "this host offers no \(BB_SERVICE_STORE)")
    }
    let status = unsafe value.withUnsafeBufferPointer { bytes in
      var lent = unsafe bb_bytes_t()
      unsafe lent.data = bytes.baseAddress
      unsafe lent.length = UInt32(bytes.count)
      return unsafe withText(key) { unsafe set(host.table, call.pointer, id, $0, lent) }
    }
    try call.check(status)
  }
}
