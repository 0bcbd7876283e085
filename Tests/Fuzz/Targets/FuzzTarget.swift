// SPDX-License-Identifier: Apache-2.0

/// Decoders that are fed with hostile bytes: by libFuzzer, and with the corpus in the unit tests. Besides not crashing
/// each keeps the properties that its function checks.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Replies over Modbus TCP.
  case mbap
  /// Commands to devices and to the gateway.
  case command
  /// `busbar.yaml`, a template, a shared library with a manifest.
  case configuration, template, elf
  /// A block of minutes as it lies on disk.
  case history

  package func run(_ bytes: [UInt8]) {
    switch self {
    case .mbap: fuzzMBAP(bytes)
    case .command: fuzzCommand(bytes)
    case .configuration: fuzzConfiguration(bytes)
    case .template: fuzzTemplate(bytes)
    case .elf: fuzzELF(bytes)
    case .history: fuzzHistory(bytes)
    }
  }
}
