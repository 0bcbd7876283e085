// SPDX-License-Identifier: Apache-2.0

/// Decoders that are fed with hostile bytes: by libFuzzer, and with the corpus in the unit tests. Besides not crashing
/// each keeps the properties that its function checks.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Replies over Modbus TCP.
  case mbap
  /// A message of OCPP-J; what a charger sends, line by line.
  case frame, ocpp
  /// Commands to devices and to the gateway.
  case command
  /// `busbar.yaml`, a template, a shared library with a manifest.
  case configuration, template, elf

  package func run(_ bytes: [UInt8]) {
    switch self {
    case .mbap: fuzzMBAP(bytes)
    case .frame: fuzzFrame(bytes)
    case .ocpp: fuzzOCPP(bytes)
    case .command: fuzzCommand(bytes)
    case .configuration: fuzzConfiguration(bytes)
    case .template: fuzzTemplate(bytes)
    case .elf: fuzzELF(bytes)
    }
  }
}
