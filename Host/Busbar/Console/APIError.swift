// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Why a command got no answer from the host.
package enum APIError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nobody answers at this path.
  case noHost(path: String)
  /// The socket may not be opened by this user.
  case notAllowed(path: String)
  /// The host said no: HTTP status and its sentence.
  case refused(status: Int, detail: String)
  case timedOut(path: String, after: Duration)
  /// The host ended, or dropped the connection, before the answer was complete.
  case ended(path: String)
  /// What came is not an answer of a host.
  case unintelligible(path: String, String)

  package var description: String {
    switch self {
    case .noHost(let path):
      "no host is running: nothing answers at '\(path)'; start one with 'busbar run', or name its socket with --socket"
    case .notAllowed(let path):
      "the socket '\(path)' may not be opened by this user; run the command as root or as a member of the socket's group"
    case .refused(_, let detail): detail
    case .timedOut(let path, let after):
      "the host at '\(path)' did not answer within \(Units.text(after))"
    case .ended(let path): "the host at '\(path)' ended the connection"
    case .unintelligible(let path, let what): "what answers at '\(path)' is no busbar host: \(what)"
    }
  }

  /// The exit code of the command (interfaces 2): 3 where there is no host, else 1.
  package var exitCode: Int32 {
    switch self {
    case .noHost, .ended: 3
    default: 1
    }
  }
}
