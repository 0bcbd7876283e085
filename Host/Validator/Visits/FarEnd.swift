// SPDX-License-Identifier: Apache-2.0

internal import BusbarTransports

/// What a link leads to.
enum FarEnd: Sendable {
  /// The plugin connects to it.
  case stream(StreamEndpoint)
  /// It connects by itself and comes through the door; what it says goes through the peer, where there is one.
  case visitor(VisitorDoor, HostileVisitor?)
}
