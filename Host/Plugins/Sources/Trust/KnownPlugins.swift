// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem

/// The hash of the file that this host has accepted under each plugin id; kept over restarts, so that a replacement is
/// noticed and a pinned plugin stays what it is.
package struct KnownPlugins: Sendable {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String
  }

  private static let limit = 1 << 20

  private var hashes: [String: String] = [:]
  /// Nil = nothing is written.
  private let path: String?

  /// Nothing is known, and nothing is kept.
  package init() { path = nil }

  /// From `known.json` in a directory of the host's own. A file that cannot be read knows nothing. Where only looked at, it
  /// is never written.
  package init(directory: String, writes: Bool) {
    let file = "\(directory)/known.json"
    path = writes ? file : nil
    guard let bytes = try? PluginInspection.read(file, limit: Self.limit), let json = try? JSONValue(parsing: bytes, depth: 4) else {
      return
    }
    hashes = (json.object ?? [:]).compactMapValues(\.string)
  }

  package subscript(id: String) -> String? { hashes[id] }

  mutating func remember(_ id: String, _ hash: String) throws(Failure) {
    hashes[id] = hash
    guard let path else { return }
    do throws(PrivateFile.Failure) {
      let file = try PrivateFile(path)
      try file.write(JSONValue.object(hashes.mapValues { .string($0) }).text + "\n")
      try file.commit()
    } catch {
      throw Failure(description: error.description)
    }
  }
}
