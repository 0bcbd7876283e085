// SPDX-License-Identifier: Apache-2.0

/// A version of OCPP, by its WebSocket subprotocol.
package enum OCPPVersion: String, CaseIterable, Sendable {
  case v16 = "ocpp1.6"
  case v201 = "ocpp2.0.1"
}
