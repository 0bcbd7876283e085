// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// The version of the contract that this host speaks.
package enum HostABI {
  package static let major = Int64(BB_ABI_MAJOR)
  package static let minor = Int64(BB_ABI_MINOR)
  package static let text = "\(BB_ABI_MAJOR).\(BB_ABI_MINOR)"
  package static let entry = BB_ENTRY_SYMBOL
  static let version = UInt32(BB_ABI_MAJOR) << 16 | UInt32(BB_ABI_MINOR)

  /// The services that this host offers.
  package static let services: Set<String> = [
    BB_SERVICE_STREAM, BB_SERVICE_CONFIG, BB_SERVICE_STORE, BB_SERVICE_DIAGNOSTICS, BB_SERVICE_DISCOVERY,
    BB_SERVICE_EVENT, BB_SERVICE_WEBSOCKET, BB_SERVICE_ASYNC, BB_SERVICE_AUTHORIZE, BB_SERVICE_RECORD, BB_SERVICE_CONTROL,
  ]
}
