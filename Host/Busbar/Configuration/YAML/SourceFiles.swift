// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The files of one reading of the configuration. What was read once stays as it was, so that the configuration can be
/// checked again, with other plugins, without taking what was edited meanwhile.
package final class SourceFiles: Sendable {
  private struct Contents {
    var files: [String: Result<[UInt8], FileReader.Failure>] = [:]
    var directories: [String: [String]?] = [:]
  }

  private let contents: Mutex<Contents>

  /// `known`: files that are taken from here and not from the disk.
  package init(known: [String: [UInt8]] = [:]) {
    contents = Mutex(Contents(files: known.mapValues { .success($0) }))
  }

  func read(_ path: String, limit: Int) -> Result<[UInt8], FileReader.Failure> {
    if let known = contents.withLock({ $0.files[path] }) { return known }
    let result = FileReader.read(path, limit: limit)
    contents.withLock { $0.files[path] = result }
    return result
  }

  /// Names in a directory, in order. Nil where it cannot be read.
  func names(in directory: String) -> [String]? {
    if let known = contents.withLock({ $0.directories[directory] }) { return known }
    let names = FileReader.names(in: directory)
    contents.withLock { $0.directories[directory] = .some(names) }
    return names
  }
}
