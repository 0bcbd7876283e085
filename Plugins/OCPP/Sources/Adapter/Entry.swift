// SPDX-License-Identifier: Apache-2.0

public import PluginAPI
internal import PluginKit

/// The one exported symbol.
@c(busbar_plugin_v0)
public func entry(_ host: UnsafePointer<bb_host_t>) -> UnsafePointer<bb_plugin_t>? {
  unsafe exportPlugin(host, id: "org.busbar.ocpp", version: "0.1.0", adapter: OCPPAdapter.self)
}
