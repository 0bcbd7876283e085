// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import COpenSSL
internal import Glibc

/// A vendor's private Ed25519 key. It never leaves this type but as PEM into a file of its owner alone.
@safe package final class SigningKey {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
  }

  private let key: OpaquePointer

  /// A new key.
  package init() throws(Failure) {
    guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil) else {
      throw Failure("OpenSSL makes no Ed25519 keys")
    }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &made) == 1, let made = unsafe made else {
      throw Failure("no key could be made: \(Self.reason())")
    }
    unsafe key = unsafe made
  }

  /// From PEM (PKCS #8). An encrypted key asks for its password on the terminal.
  package init(pem: [UInt8]) throws(Failure) {
    guard let source = unsafe BIO_new(BIO_s_mem()) else { throw Failure(Self.reason()) }
    defer { unsafe BIO_free(source) }
    guard unsafe BIO_write(source, pem, Int32(clamping: pem.count)) > 0 else { throw Failure("it is empty") }
    guard let read = unsafe PEM_read_bio_PrivateKey(source, nil, nil, nil) else {
      throw Failure("it holds no private key in PEM form (\(Self.reason())); busbar plugin keygen makes one")
    }
    guard unsafe EVP_PKEY_get_base_id(read) == EVP_PKEY_ED25519 else {
      unsafe EVP_PKEY_free(read)
      throw Failure("it holds a key of another kind; plugins are signed with Ed25519")
    }
    unsafe key = unsafe read
  }

  deinit { unsafe EVP_PKEY_free(key) }

  /// The raw public key, 32 bytes.
  package var publicKey: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: PluginSignature.keyLength)
    var length = bytes.count
    unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &length)
    return bytes
  }

  package func sign(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
    guard let context = unsafe EVP_MD_CTX_new() else { throw Failure(Self.reason()) }
    defer { unsafe EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: PluginSignature.length)
    var length = signature.count
    guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
      unsafe EVP_DigestSign(context, &signature, &length, bytes, bytes.count) == 1, length == PluginSignature.length
    else { throw Failure("it could not be signed: \(Self.reason())") }
    return signature
  }

  /// PEM of the private key (PKCS #8, not encrypted) and of the public one.
  package func pem() throws(Failure) -> (private: [UInt8], public: [UInt8]) {
    let secret = unsafe try Self.text { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    return unsafe (secret, try Self.text { unsafe PEM_write_bio_PUBKEY($0, key) })
  }

  private static func text(_ write: (OpaquePointer) -> Int32) throws(Failure) -> [UInt8] {
    guard let sink = unsafe BIO_new(BIO_s_mem()) else { throw Failure(reason()) }
    defer { unsafe BIO_free(sink) }
    guard unsafe write(sink) == 1 else { throw Failure(reason()) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe BIO_read(sink, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(max(0, count))))
  }

  private static func reason() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "OpenSSL gives no reason" }
    return unsafe String(cString: text)
  }
}
