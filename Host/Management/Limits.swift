// SPDX-License-Identifier: Apache-2.0

/// What one client, and all of them together, may ask of the API.
package struct Limits: Sendable {
  /// Bytes of a request's body.
  static let body = 64 << 10
  /// Bytes of one header field and of all of them; number of them.
  static let headerField = 8 << 10
  static let headers = 16 << 10
  static let headerCount = 64
  /// Devices in the query of one event stream.
  static let devices = 64
  /// Endpoints and ranges of one search.
  static let endpoints = 64
  /// Points in one request to read.
  static let points = 512
  /// Seconds that a connection may be silent between requests, or in the middle of one.
  static let idleSeconds: Int64 = 30

  /// Connections at once; further ones wait in the backlog.
  package var connections = 64
  /// Event streams at once, so that some connections stay for requests.
  package var streams = 32
  /// Events that may wait for one reader before it is dropped.
  package var queuedEvents = 256
  /// Between two comments that show the reader that the host lives.
  package var heartbeat: Duration = .seconds(15)

  package init() {}
}
