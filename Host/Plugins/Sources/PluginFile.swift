// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CLinux
internal import COpenSSL
internal import Glibc

/// A plugin file that passed every check that can be made without executing it, and its private copy. The file is read
/// once; what was hashed and inspected is what is loaded.
package struct PluginFile: Sendable {
  package struct Refusal: Error, Sendable, Equatable {
    package var message: String

    package init(message: String) { self.message = message }
  }

  /// Largest plugin, bytes.
  static let sizeLimit = 256 << 20

  package let path: String
  /// SHA-256 of the content, hex.
  package let hash: String
  package let manifest: PluginManifest
  /// Below the host's state directory, named by the hash.
  package let copy: String

  /// In a child: what the host has checked.
  init(path: String, hash: String, manifest: PluginManifest, copy: String) {
    self.path = path
    self.hash = hash
    self.manifest = manifest
    self.copy = copy
  }

  /// `services` are the ids that this host offers.
  package init(path: String, store: String, services: Set<String>) throws(Refusal) {
    let bytes = try Self.read(path)
    do throws(ELFFile.Failure) {
      let library = try ELFFile(bytes)
      guard let text = library.manifest else {
        throw ELFFile.Failure(message: "it has no manifest (ELF section .busbar.manifest): is it a Busbar plugin?")
      }
      do throws(PluginManifest.Failure) {
        manifest = try PluginManifest(text)
      } catch {
        throw ELFFile.Failure(message: error.message)
      }
      try Self.checkVersion(manifest, library.entries)
    } catch {
      throw Refusal(message: error.message)
    }
    let missing = manifest.requires.filter { !services.contains($0) }
    guard missing.isEmpty else {
      throw Refusal(
        message: "\(manifest.id) needs \(missing.joined(separator: ", ")); this host (\(HostABI.text)) does not offer it")
    }
    self.path = path
    hash = Self.sha256(bytes)
    copy = try Self.keep(bytes, hash, in: store)
  }

  private static func checkVersion(_ manifest: PluginManifest, _ entries: [String]) throws(ELFFile.Failure) {
    guard manifest.major == HostABI.major, manifest.minor == HostABI.minor else {
      throw ELFFile.Failure(
        message: "it was built for version \(manifest.major).\(manifest.minor) of the plugin contract, this host speaks \(HostABI.text)")
    }
    guard entries.contains(HostABI.entry) else {
      throw ELFFile.Failure(message: "it does not export the function \(HostABI.entry)")
    }
  }

  /// Only regular files that belong to root or to the host's own user and that nobody else may write; likewise their
  /// directory.
  private static func read(_ path: String) throws(Refusal) -> [UInt8] {
    let number = unsafe busbar_open_nofollow(path)
    guard number >= 0 else {
      let reason = errno == ELOOP ? "it is a symbolic link; put the file itself there" : "it cannot be read: \(systemError(errno))"
      throw Refusal(message: reason)
    }
    let descriptor = Descriptor(owning: number)
    var facts = stat()
    guard unsafe fstat(number, &facts) == 0 else { throw Refusal(message: systemError(errno)) }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw Refusal(message: "it is no regular file") }
    try checkOwner(facts, "the file")
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var folder = stat()
    guard unsafe stat(directory.isEmpty ? "/" : directory, &folder) == 0 else { throw Refusal(message: systemError(errno)) }
    try checkOwner(folder, "its directory")
    guard facts.st_size <= sizeLimit else { throw Refusal(message: "it is larger than \(sizeLimit >> 20) MiB") }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(facts.st_size))
    while bytes.count <= sizeLimit {
      switch descriptor.read(into: &bytes, upTo: 1 << 16) {
      case .bytes: continue
      case .closed: return bytes
      case .wouldBlock: continue
      case .failed(let code): throw Refusal(message: "it cannot be read: \(systemError(code))")
      }
    }
    throw Refusal(message: "it grew while it was read")
  }

  private static func checkOwner(_ facts: stat, _ what: String) throws(Refusal) {
    guard facts.st_uid == 0 || facts.st_uid == geteuid() else {
      throw Refusal(message: "\(what) belongs to user \(facts.st_uid); it has to belong to root or to the host's user")
    }
    guard facts.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
      throw Refusal(message: "\(what) can be written by others; chmod go-w it")
    }
  }

  private static func sha256(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe SHA256(bytes, bytes.count, &digest)
    return digest.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// Readable for a child of another user, to whom it is handed open; the directory stays closed.
  private static let mode: mode_t = 0o555

  /// Writes the copy under its hash, unless it is there already.
  private static func keep(_ bytes: [UInt8], _ hash: String, in store: String) throws(Refusal) -> String {
    let path = "\(store)/\(hash).so"
    var facts = stat()
    guard unsafe stat(store, &facts) == 0 else {
      throw Refusal(message: "no private copy in \(store): \(systemError(errno))")
    }
    try checkOwner(facts, "the place for private copies, \(store),")
    // Whatever lies there under that name is what is loaded.
    if let kept = try? read(path), kept == bytes {
      unsafe chmod(path, mode)
      return path
    }
    let temporary = "\(store)/.\(hash).\(getpid())"
    unsafe unlink(temporary)
    let number = unsafe busbar_create(temporary, 0o500)
    guard number >= 0 else { throw Refusal(message: "no private copy in \(store): \(systemError(errno))") }
    let descriptor = Descriptor(owning: number)
    var rest = bytes[...]
    while !rest.isEmpty {
      guard case .bytes(let written) = descriptor.write(rest), written > 0 else {
        unsafe unlink(temporary)
        throw Refusal(message: "no private copy in \(store): is the disk full?")
      }
      rest = rest.dropFirst(written)
    }
    guard fchmod(number, mode) == 0, fsync(number) == 0, unsafe rename(temporary, path) == 0 else {
      unsafe unlink(temporary)
      throw Refusal(message: "no private copy in \(store): \(systemError(errno))")
    }
    return path
  }
}
