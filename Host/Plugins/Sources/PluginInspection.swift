// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem
internal import CLinux
internal import Glibc

/// All that a plugin's file tells without being executed, also of one that no host would load.
package struct PluginInspection: Sendable {
  package let path: String
  package let size: Int
  /// SHA-256, hex.
  package let hash: String
  /// The manifest as it is written; nil where there is none that is JSON.
  package let document: JSONValue?
  package let manifest: PluginManifest?
  package let facts: ELFFacts?
  package let signature: PluginSignature.State
  /// Why this host would not load it; nil = it would. Its directory and owner are not looked at.
  package let objection: String?

  /// `keys` are raw public keys that a signature may be of. Throws where the file cannot be read.
  package init(path: String, keys: [[UInt8]] = []) throws(PluginFile.Refusal) {
    self.path = path
    let bytes = try Self.read(path, limit: PluginFile.sizeLimit)
    size = bytes.count
    hash = Digest.sha256(bytes)
    signature = PluginSignature.state(of: bytes, file: PluginSignature.file(beside: path, Self.read), keys: keys)
    facts = try? ELFFacts(bytes)
    var document: JSONValue?
    var manifest: PluginManifest?
    do throws(PluginFile.Refusal) {
      let library = try PluginFile.library(bytes)
      document = library.manifest.flatMap { try? JSONValue(parsing: Array($0.prefix { $0 != 0 }), depth: 64) }
      manifest = try PluginFile.manifest(of: library)
      let missing = manifest.map { $0.requires.filter { !HostABI.services.contains($0) } } ?? []
      objection = missing.isEmpty ? nil : "it needs \(missing.joined(separator: ", ")); this host (\(HostABI.text)) does not offer it"
    } catch {
      objection = error.message
    }
    self.document = document
    self.manifest = manifest
  }

  /// A regular file, whoever owns it; links are followed: nothing of it is executed.
  package static func read(_ path: String, limit: Int) throws(PluginFile.Refusal) -> [UInt8] {
    let number = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else { throw PluginFile.Refusal(message: "\(path) cannot be read: \(systemError(errno))") }
    let descriptor = Descriptor(owning: number)
    var facts = stat()
    guard unsafe fstat(number, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
      throw PluginFile.Refusal(message: "\(path) is no regular file")
    }
    guard facts.st_size <= limit else { throw PluginFile.Refusal(message: "\(path) is larger than \(limit) bytes") }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(facts.st_size))
    while bytes.count <= limit {
      switch descriptor.read(into: &bytes, upTo: 1 << 16) {
      case .bytes: continue
      case .closed: return bytes
      case .wouldBlock: continue
      case .failed(let code): throw PluginFile.Refusal(message: "\(path) cannot be read: \(systemError(code))")
      }
    }
    throw PluginFile.Refusal(message: "\(path) grew while it was read")
  }
}
