// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CLinux
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
  package let signature: PluginSignature.State

  /// In a child: what the host has checked.
  init(path: String, hash: String, manifest: PluginManifest, copy: String) {
    self.path = path
    self.hash = hash
    self.manifest = manifest
    self.copy = copy
    signature = .absent
  }

  /// `services` are the ids that this host offers; `trust` says whose files it takes, `known` is the hash that it has
  /// accepted under an id.
  package init(
    path: String, store: String, services: Set<String>, trust: PluginTrust = PluginTrust(),
    known: (String) -> String? = { _ in nil }
  ) throws(Refusal) {
    // The signature first: of a file that is replaced together with its signature, the older of the two is taken at worst.
    let signatureFile = PluginSignature.file(beside: path, Self.read)
    let bytes = try Self.read(path, limit: Self.sizeLimit)
    manifest = try Self.manifest(of: Self.library(bytes))
    let missing = manifest.requires.filter { !services.contains($0) }
    guard missing.isEmpty else {
      throw Refusal(
        message: "\(manifest.id) needs \(missing.joined(separator: ", ")); this host (\(HostABI.text)) does not offer it")
    }
    self.path = path
    hash = Digest.sha256(bytes)
    // Of the bytes that are kept and loaded, not of what lies under the name by then.
    signature = PluginSignature.state(of: bytes, file: signatureFile, keys: trust.keys)
    if let objection = trust.objection(to: manifest.id, hash: hash, signature: signature, known: known(manifest.id)) {
      throw Refusal(message: objection)
    }
    copy = try Self.keep(bytes, hash, in: store)
  }

  static func library(_ bytes: [UInt8]) throws(Refusal) -> ELFFile {
    do throws(ELFFile.Failure) {
      return try ELFFile(bytes)
    } catch {
      throw Refusal(message: error.message)
    }
  }

  /// The manifest, of a file that was built for this host's contract.
  static func manifest(of library: ELFFile) throws(Refusal) -> PluginManifest {
    guard let text = library.manifest else {
      throw Refusal(message: "it has no manifest (ELF section .busbar.manifest): is it a Busbar plugin?")
    }
    do throws(PluginManifest.Failure) {
      let manifest = try PluginManifest(text)
      try checkVersion(manifest, library.entries)
      return manifest
    } catch {
      throw Refusal(message: error.message)
    }
  }

  private static func checkVersion(_ manifest: PluginManifest, _ entries: [String]) throws(PluginManifest.Failure) {
    guard manifest.major == HostABI.major, manifest.minor == HostABI.minor else {
      throw PluginManifest.Failure(
        message: "it was built for version \(manifest.major).\(manifest.minor) of the plugin contract, this host speaks \(HostABI.text)")
    }
    guard entries.contains(HostABI.entry) else {
      throw PluginManifest.Failure(message: "it does not export the function \(HostABI.entry)")
    }
  }

  /// Only regular files that belong to root or to the host's own user and that nobody else may write; likewise their
  /// directory.
  private static func read(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
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
    guard facts.st_size <= limit else { throw Refusal(message: "it has \(facts.st_size) bytes, more than \(limit)") }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(facts.st_size))
    while bytes.count <= limit {
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
    if let kept = try? read(path, limit: sizeLimit), kept == bytes {
      unsafe chmod(path, mode)
      return path
    }
    // The same file may be looked at by two threads at a time.
    let temporary = "\(store)/.\(hash).\(getpid()).\(pthread_self())"
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
