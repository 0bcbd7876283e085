// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the running program was installed. One that lies in `PREFIX/bin` finds plugins and templates below PREFIX too,
/// so that a staged or local installation works without being configured.
enum Installation {
  /// The directory below the prefix, where it exists, before the standard ones, which it does not repeat.
  static func directories(_ name: String, standard: [String]) -> [String] {
    guard let prefix else { return standard }
    let own = "\(prefix)/\(name)"
    guard !standard.contains(own), unsafe access(own, R_OK | X_OK) == 0 else { return standard }
    return [own] + standard
  }

  private static let prefix: String? = {
    var path = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &path, path.count)
    guard length > 0, length < path.count else { return nil }
    let parts = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "/")
    guard parts.count >= 2, parts[parts.count - 2] == "bin" else { return nil }
    return "/" + parts.dropLast(2).joined(separator: "/")
  }()
}
