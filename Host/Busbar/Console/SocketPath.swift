// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// Where the host's Unix socket is: one rule for the host, which makes it, and for the commands, which look for it.
package struct SocketPath: Sendable {
  private let environment: [String: String]
  private let isRoot: Bool
  private let exists: @Sendable (String) -> Bool

  /// The rule for this process.
  package init() {
    self.init(environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0) { path in
      FileManager.default.fileExists(atPath: path)
    }
  }

  package init(environment: [String: String], isRoot: Bool, exists: @escaping @Sendable (String) -> Bool) {
    self.environment = environment
    self.isRoot = isRoot
    self.exists = exists
  }

  static let system = "/run/busbar/busbar.sock"

  /// Where the host listens, unless `--socket` says otherwise: the runtime directory of its service, of the system where
  /// it runs as root, of the user; in the end its own state directory.
  package func forHost(state: String) -> String {
    if let runtime { return runtime }
    if isRoot { return Self.system }
    return user ?? "\(state)/busbar.sock"
  }

  /// Where a command looks for the host, unless `--socket` says otherwise.
  package func forClient() -> String {
    if let named = variable("BUSBAR_SOCKET") { return named }
    if let runtime { return runtime }
    guard !isRoot, !exists(Self.system), let user else { return Self.system }
    return user
  }

  /// systemd gives several directories with colons between them (systemd.exec(5)); the first is the host's.
  private var runtime: String? {
    variable("RUNTIME_DIRECTORY").map { "\($0.prefix { $0 != ":" })/busbar.sock" }
  }

  private var user: String? { variable("XDG_RUNTIME_DIR").map { "\($0)/busbar/busbar.sock" } }

  private func variable(_ name: String) -> String? {
    guard let text = environment[name], !text.isEmpty else { return nil }
    return text
  }
}
