// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// A failure as the host wants it: a class that it acts on, a reason that it counts, and a sentence for a person.
public struct AdapterError: Error, Sendable, CustomStringConvertible {
  /// What the host does about it (types.h, BB_CLASS_…).
  public struct Class: Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Try again with back-off.
    public static let transient = Class(rawValue: UInt32(BB_CLASS_TRANSIENT))
    /// A person has to change the configuration.
    public static let config = Class(rawValue: UInt32(BB_CLASS_CONFIG))
    /// A person has to give credentials.
    public static let auth = Class(rawValue: UInt32(BB_CLASS_AUTH))
    /// The value or command failed, the link is fine.
    public static let device = Class(rawValue: UInt32(BB_CLASS_DEVICE))
    /// Not to be asked again.
    public static let unsupported = Class(rawValue: UInt32(BB_CLASS_UNSUPPORTED))
    public static let cancelled = Class(rawValue: UInt32(BB_CLASS_CANCELLED))
    public static let bug = Class(rawValue: UInt32(BB_CLASS_BUG))
  }

  public var failure: Class
  /// BB_REASON_… of types.h, or the adapter's own from BB_REASON_PLUGIN.
  public var reason: UInt32
  public var message: String

  public init(_ failure: Class, reason: UInt32 = 0, _ message: String) {
    self.failure = failure
    self.reason = reason
    self.message = message
  }

  /// From a status that a host slot returned; the host has its own sentence for it.
  init(status: bb_status_t) {
    let value = UInt32(-Int64(status))
    self.init(Class(rawValue: value >> 16), reason: value & 0xFFFF, "")
  }

  var status: bb_status_t { -bb_status_t(failure.rawValue << 16 | reason & 0xFFFF) }

  /// Nothing, or not enough, came before the deadline.
  public var isTimeout: Bool { reason == UInt32(BB_REASON_TIMEOUT) }
  public var isCancelled: Bool { failure == .cancelled }

  public var description: String { message }
}
