// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A socket address as the resolver gave it.
struct Address {
  let family: Int32
  private let bytes: [UInt8]

  /// Addresses of a name or a literal, at most 8. `numeric`: no name is looked up.
  static func resolve(_ host: String, _ port: UInt16, numeric: Bool = false) throws(TransportError) -> [Address] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else {
      let reason = unsafe String(cString: gai_strerror(code))
      throw TransportError(.address, "\(host) is not known (\(reason)): check the name, or use the device's IP address")
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [Address] = []
    var next = unsafe list
    while let entry = unsafe next, found.count < 8 {
      if let address = unsafe entry.pointee.ai_addr {
        let raw = unsafe UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
        unsafe found.append(Address(family: entry.pointee.ai_family, bytes: Array(raw)))
      }
      unsafe next = entry.pointee.ai_next
    }
    return found
  }

  /// `192.168.1.20`, `fe80::1`; nil where the system cannot write it.
  var text: String? {
    var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let code = unsafe bytes.withUnsafeBytes { raw -> Int32 in
      guard let address = unsafe raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
      return unsafe getnameinfo(address, socklen_t(raw.count), &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
    }
    guard code == 0 else { return nil }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// True where it is connected at once; else errno tells (EINPROGRESS).
  func connect(_ number: Int32) -> Bool { unsafe use { unsafe Glibc.connect(number, $0, $1) } == 0 }

  func bind(_ number: Int32) -> Bool { unsafe use { unsafe Glibc.bind(number, $0, $1) } == 0 }

  private func use(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    unsafe bytes.withUnsafeBytes { raw in
      guard let address = unsafe raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
      return unsafe body(address, socklen_t(raw.count))
    }
  }
}
