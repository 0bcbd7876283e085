// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// Where the running program was installed. One that lies in `PREFIX/bin` finds plugins and templates below PREFIX too,
/// so that a staged or local installation works without being configured.
package enum Installation {
  /// Headers, Swift layer and templates for plugins.
  package static var pluginAPI: [String] { directories("share/busbar/PluginAPI", standard: ["/usr/share/busbar/PluginAPI"]) }

  /// The directory below the prefix, where it exists, before the standard ones, which it does not repeat.
  static func directories(_ name: String, standard: [String]) -> [String] {
    guard let prefix else { return standard }
    let own = "\(prefix)/\(name)"
    guard !standard.contains(own), FileReader.names(in: own) != nil else { return standard }
    return [own] + standard
  }

  private static let prefix: String? = {
    guard let parts = OwnProcess.executable?.split(separator: "/") else { return nil }
    guard parts.count >= 2, parts[parts.count - 2] == "bin" else { return nil }
    return "/" + parts.dropLast(2).joined(separator: "/")
  }()
}
