// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file descriptor with one owner: closed when the owner lets go.
package final class Descriptor: Sendable {
  package let number: Int32

  package init(owning number: Int32) { self.number = number }

  deinit { Glibc.close(number) }

  /// What a read or write came to.
  package enum Transfer: Equatable, Sendable {
    case bytes(Int)
    /// Nothing now, ask again when it is ready.
    case wouldBlock
    /// The far end closed.
    case closed
    /// errno
    case failed(Int32)
  }

  package func read(into buffer: inout [UInt8], upTo count: Int) -> Transfer {
    let transfer = unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { bytes in
      let transfer = Self.transfer { unsafe Glibc.read(number, bytes.baseAddress, bytes.count) }
      if case .bytes(let received) = transfer { unsafe buffer.append(contentsOf: bytes[..<received]) }
      return transfer
    }
    return transfer == .bytes(0) ? .closed : transfer
  }

  package func write(_ bytes: ArraySlice<UInt8>) -> Transfer {
    unsafe bytes.withUnsafeBytes { bytes in
      Self.transfer {
        let sent = unsafe send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        // A serial line is no socket.
        return sent < 0 && errno == ENOTSOCK ? unsafe Glibc.write(number, bytes.baseAddress, bytes.count) : sent
      }
    }
  }

  private static func transfer(_ call: () -> Int) -> Transfer {
    while true {
      let result = call()
      if result >= 0 { return .bytes(result) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      case ECONNRESET, EPIPE, EIO, ENXIO, ENODEV: return .closed
      case let code: return .failed(code)
      }
    }
  }
}

/// The system's sentence for an errno.
package func systemError(_ code: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 128)
  // Swift's Glibc module has the XSI form: 0 where the text fits.
  guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
