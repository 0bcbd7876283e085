// SPDX-License-Identifier: Apache-2.0

internal import COpenSSLX509

/// What OpenSSL could not do.
package struct OpenSSLError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A part of a sentence.
  package var description: String

  package init(_ description: String) { self.description = description }

  /// With the library's own reason, where it has left one.
  static func last(_ what: String) -> OpenSSLError {
    defer { ERR_clear_error() }
    let code = ERR_peek_last_error()
    guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return OpenSSLError(what) }
    return unsafe OpenSSLError("\(what) (\(String(cString: reason)))")
  }
}

/// Hands a copy of the bytes to a reader of the library.
func reading<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) throws(OpenSSLError) -> Result) throws(OpenSSLError) -> Result {
  guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .last("no memory") }
  defer { unsafe BIO_free(bio) }
  let count = Int32(clamping: bytes.count)
  guard unsafe bytes.isEmpty || BIO_write(bio, bytes, count) == count else { throw .last("no memory") }
  return unsafe try body(bio)
}

/// What a writer of the library writes.
func written(_ body: (OpaquePointer) -> Bool) throws(OpenSSLError) -> [UInt8] {
  guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .last("no memory") }
  defer { unsafe BIO_free(bio) }
  guard unsafe body(bio) else { throw .last("it could not be written") }
  var bytes: UnsafePointer<UInt8>?
  let count = unsafe busbar_bio_bytes(bio, &bytes)
  return unsafe Array(UnsafeBufferPointer(start: bytes, count: max(0, Int(count))))
}
