// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins
internal import ModbusCodec

/// Decoders that are fed with hostile bytes: by libFuzzer, and with the corpus in the unit tests. Besides not crashing
/// each keeps the properties that its function checks.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Replies over Modbus TCP, RTU over TCP, and ASCII.
  case mbap, rtu, ascii
  /// Commands to devices and to the gateway.
  case command
  /// `busbar.yaml`, a template, a shared library with a manifest.
  case configuration, template, elf
  /// What the host tells a plugin's child, and the child the host.
  case hostMessage = "host-message"
  case childMessage = "child-message"

  package func run(_ bytes: [UInt8]) {
    switch self {
    case .mbap: fuzzReplies(bytes, .mbap)
    case .rtu: fuzzReplies(bytes, .rtu)
    case .ascii: fuzzReplies(bytes, .ascii)
    case .command: fuzzCommand(bytes)
    case .configuration: fuzzConfiguration(bytes)
    case .template: fuzzTemplate(bytes)
    case .elf: fuzzELF(bytes)
    case .hostMessage: fuzzMessage(bytes, as: HostMessage.self)
    case .childMessage: fuzzMessage(bytes, as: ChildMessage.self)
    }
  }
}
