// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// One datagram to a Unix socket of somebody else.
package enum UnixDatagram {
  /// `address` is a path, or a name in the abstract space written with @ in front. What cannot be sent is dropped: the
  /// receiver is a courtesy.
  package static func send(_ text: String, to address: String) {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    guard !address.isEmpty, address.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { return }
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { path in
      unsafe path.copyBytes(from: address.utf8)
      if address.hasPrefix("@") { unsafe path[0] = 0 }
    }
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return }
    let descriptor = Descriptor(owning: number)
    let size = socklen_t(MemoryLayout<sa_family_t>.size + address.utf8.count)
    let bytes = Array(text.utf8)
    unsafe withUnsafePointer(to: name) { name in
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        _ = unsafe sendto(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL), name, size)
      }
    }
  }
}
