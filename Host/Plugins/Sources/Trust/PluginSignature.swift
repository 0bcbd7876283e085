// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import COpenSSL
internal import Glibc

/// A detached Ed25519 signature (RFC 8032) of a plugin's file: the 64 bytes alone, in `FILE.so.sig`. Anybody can make and
/// check one with `openssl pkeyutl -rawin`.
package enum PluginSignature {
  /// Bytes of a signature and of a public key.
  package static let length = 64
  package static let keyLength = 32
  package static let suffix = ".sig"

  /// What is known of a file's signature.
  package enum State: Sendable, Equatable {
    case absent
    /// By a trusted key with this fingerprint.
    case good(key: String)
    /// Present, and nobody may rely on it: a sentence.
    case bad(String)
  }

  /// Bytes that are read of what lies under its name.
  private static let sizeLimit = 4096

  /// What lies beside the plugin `path`, nil = nothing, as `read` reads a file of at most so many bytes.
  static func file(
    beside path: String, _ read: (String, Int) throws(PluginFile.Refusal) -> [UInt8]
  ) -> Result<[UInt8]?, PluginFile.Refusal> {
    var facts = stat()
    if unsafe lstat(path + suffix, &facts) != 0, errno == ENOENT { return .success(nil) }
    do throws(PluginFile.Refusal) {
      return .success(try read(path + suffix, sizeLimit))
    } catch {
      return .failure(PluginFile.Refusal(message: "its signature, \(path + suffix), is of no use: \(error.message)"))
    }
  }

  static func state(of bytes: [UInt8], file: Result<[UInt8]?, PluginFile.Refusal>, keys: [[UInt8]]) -> State {
    switch file {
    case .success(let signature): state(of: bytes, signature: signature, keys: keys)
    case .failure(let refusal): .bad(refusal.message)
    }
  }

  /// Judges `signature`, nil = there is none, of exactly these bytes. `keys` are raw public keys.
  package static func state(of bytes: [UInt8], signature: [UInt8]?, keys: [[UInt8]]) -> State {
    guard let signature else { return .absent }
    guard signature.count == length else {
      return .bad("its signature has \(signature.count) bytes, an Ed25519 signature has \(length): sign the file again")
    }
    for key in keys where verify(bytes, signature, key) { return .good(key: fingerprint(key)) }
    return .bad(
      keys.isEmpty
        ? "its signature cannot be checked: plugins.trusted_keys is empty"
        : "its signature fits none of the \(keys.count) trusted keys: the file was changed, or signed by somebody else")
  }

  /// The first 16 hex digits of the key's SHA-256: enough to tell keys apart by eye.
  package static func fingerprint(_ key: [UInt8]) -> String { String(Digest.sha256(key).prefix(16)) }

  static func verify(_ bytes: [UInt8], _ signature: [UInt8], _ key: [UInt8]) -> Bool {
    guard key.count == keyLength,
      let publicKey = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, key, key.count)
    else { return false }
    defer { unsafe EVP_PKEY_free(publicKey) }
    guard let context = unsafe EVP_MD_CTX_new() else { return false }
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, publicKey) == 1 else { return false }
    defer { ERR_clear_error() }
    return unsafe EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
  }
}

/// SHA-256 as hex.
enum Digest {
  static func sha256(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe SHA256(bytes, bytes.count, &digest)
    return Hexadecimal.text(digest)
  }
}
