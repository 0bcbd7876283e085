// SPDX-License-Identifier: Apache-2.0

/// What a far end may cost. The defaults suit chargers.
package struct WebSocketLimits: Sendable, Equatable {
  /// Connections at a time, handshakes included.
  package var connections = 20_000
  /// Handshakes at a time, and of those from one address: who begins many and ends none must not keep the others out.
  package var handshakes = 4096
  package var handshakesOfOne = 2048
  /// From the connection to the finished handshake.
  package var handshake = Duration.seconds(10)
  /// Bytes of one message, fragments together.
  package var message = 1 << 20
  package var fragments = 1024
  /// Bytes that may wait for the far end.
  package var waiting = 1 << 20
  /// A ping when nothing came for this long; the connection is given up when again nothing comes for as long.
  package var silence = Duration.seconds(60)
  /// Frames of control, and messages, that one connection may send in an interval of `silence`, or in ten seconds where that
  /// is shorter.
  package var frames = 2000

  package init() {}
}
