// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import FoundationEssentials
internal import NIOCore
internal import NIOPosix

/// Why the socket cannot be served.
package struct SocketError: Error, Sendable, CustomStringConvertible {
  package var description: String
}

/// The file of the API's Unix socket: who may use it, and whose it is.
struct SocketFile: Sendable {
  /// sun_path of Linux has 108 bytes, one of them for the end (unix(7)).
  static let longest = 107

  let path: String
  private var directory: String { URL(filePath: path).deletingLastPathComponent().path }

  /// Makes the directory where it is missing and refuses where another host answers. A socket that nobody serves is left
  /// by a host that was killed; it is removed when the new one is bound.
  func prepare() async throws(SocketError) {
    guard path.utf8.count <= Self.longest else {
      throw SocketError(
        description:
          "the socket path '\(path)' is longer than \(Self.longest) bytes; choose a shorter one with --socket")
    }
    let files = FileManager.default
    // With the dot it has to be a directory, or a link to one.
    if !files.fileExists(atPath: "\(directory)/.") {
      do {
        try files.createDirectory(
          atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
      } catch {
        throw SocketError(
          description: "the directory '\(directory)' of the socket cannot be made: \(Self.reason(error))")
      }
    }
    guard let attributes = try? files.attributesOfItem(atPath: path) else { return }
    guard attributes[.type] as? FileAttributeType == .typeSocket else {
      throw SocketError(
        description: "'\(path)' exists and is no socket; remove it, or choose another path with --socket")
    }
    if await isServed() {
      throw SocketError(
        description:
          "another host is running: it answers at '\(path)'; stop it first, or give this one a path of its own with --socket"
      )
    }
  }

  /// Owner and group may talk to the host. Returns the file's number, by which `remove` knows it again.
  func protect() throws(SocketError) -> UInt64? {
    let files = FileManager.default
    do {
      try files.setAttributes([.posixPermissions: 0o660], ofItemAtPath: path)
      return try number(files)
    } catch {
      throw SocketError(description: "the permissions of '\(path)' cannot be set: \(Self.reason(error))")
    }
  }

  /// Removes the file unless another host has put its own there since.
  func remove(_ own: UInt64?) {
    let files = FileManager.default
    guard let own, let now = try? number(files), now == own else { return }
    try? files.removeItem(atPath: path)
  }

  private func number(_ files: FileManager) throws -> UInt64? {
    try files.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
  }

  private func isServed() async -> Bool {
    do {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.seconds(2))
        .connect(unixDomainSocketPath: path).get()
      try? await channel.close()
      return true
    } catch let error as IOError {
      // Refused = nobody listens. A full backlog or a lack of permission means that somebody does.
      return error.errnoCode != ECONNREFUSED && error.errnoCode != ENOENT
    } catch {
      return true
    }
  }

  private static func reason(_ error: any Error) -> String {
    (error as? CocoaError)?.underlying.flatMap { $0 as? POSIXError }.map { systemError($0.code.rawValue) } ?? "\(error)"
  }
}
