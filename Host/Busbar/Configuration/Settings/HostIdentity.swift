// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// What the loader takes from the machine; tests give their own.
package struct HostEnvironment: Sendable {
  /// For secrets of the form `{ env: NAME }`.
  package var variables: [String: String]
  package var machineIDFile: String
  package var hostName: String

  package init(variables: [String: String], machineIDFile: String = "/etc/machine-id", hostName: String = "") {
    self.variables = variables
    self.machineIDFile = machineIDFile
    self.hostName = hostName
  }

  /// Of this process.
  package static var current: HostEnvironment {
    HostEnvironment(variables: ProcessInfo.processInfo.environment, hostName: ProcessInfo.processInfo.hostName)
  }

  /// `gw-` and 12 hex digits of a hash of the machine id, which itself must stay private (machine-id(5)); without one,
  /// `gw-` and the host's name. Nil where there is neither.
  package var gatewayID: String? {
    if case .success(let bytes) = FileReader.read(machineIDFile, limit: 256) {
      let id = String(decoding: bytes, as: UTF8.self).filter(\.isHexDigit)
      if id.utf8.count >= 16 { return "gw-" + Name.hash("busbar gateway " + id.lowercased()).suffix(12) }
    }
    let name = hostName.split(separator: ".").first.map { String($0.lowercased().prefix(60)) } ?? ""
    let id = "gw-" + name.map { Name.isValid(String($0)) ? String($0) : "-" }.joined()
    return name.isEmpty || name == "localhost" ? nil : id
  }
}
