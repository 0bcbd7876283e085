// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// One call from the host: valid until the adapter's method returns.
@safe public struct Call: ~Copyable {
  let host: Host
  let pointer: UnsafePointer<bb_call_t>

  init(_ host: Host, _ pointer: UnsafePointer<bb_call_t>) {
    self.host = host
    unsafe self.pointer = pointer
  }

  /// CLOCK_BOOTTIME nanoseconds by which the method has to return.
  public var deadline: Int64 { unsafe pointer.pointee.deadline_ns }

  /// Names the call: what a command that goes on is completed with.
  public var token: UInt64 { unsafe pointer.pointee.token }

  /// True once the host wants the method to return early: a command is waiting, or the host stops.
  public var cancelled: Bool { unsafe host.table.pointee.cancelled?(host.table, pointer) ?? 0 != 0 }

  func explain(_ text: String) {
    guard !text.isEmpty else { return }
    unsafe withText(text) { unsafe host.table.pointee.explain?(host.table, pointer, $0) }
  }

  /// Throws what a failed status says.
  func check(_ status: bb_status_t) throws(AdapterError) {
    if status < 0 { throw AdapterError(status: status) }
  }
}
