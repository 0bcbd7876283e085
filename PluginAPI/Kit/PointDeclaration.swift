// SPDX-License-Identifier: Apache-2.0

public import PluginAPI

/// A point as it is declared (point.h, bb_point_desc_t).
public struct PointDeclaration: Sendable {
  public var name: String
  public var title = ""
  /// JSON object: labels, safe, allowed, lease_ms, refresh_ms.
  public var detail = ""
  /// BB_TYPE_…
  public var type: UInt16
  /// BB_KIND_…
  public var kind: UInt16
  /// BB_UNIT_…
  public var unit: UInt16
  /// BB_POINT_…
  public var flags: UInt32 = 0
  public var periodMilliseconds: UInt32 = 0
  /// Both 0 = no limits.
  public var minimum = 0.0
  public var maximum = 0.0
  /// 0 = as is.
  public var resolution = 0.0

  public init(
    _ name: String, type: UInt16 = UInt16(BB_TYPE_F64), kind: UInt16 = UInt16(BB_KIND_GAUGE), unit: UInt16
  ) {
    self.name = name
    self.type = type
    self.kind = kind
    self.unit = unit
  }

  func withDescriptor(_ body: (UnsafePointer<bb_point_desc_t>) -> bb_status_t) -> bb_status_t {
    unsafe withText(name) { name in
      unsafe withText(title) { title in
        unsafe withText(detail) { detail in
          var descriptor = unsafe bb_point_desc_t()
          unsafe descriptor.name = name
          unsafe descriptor.title = title
          unsafe descriptor.detail = detail
          unsafe descriptor.type = type
          unsafe descriptor.kind = kind
          unsafe descriptor.unit = unit
          unsafe descriptor.flags = flags
          unsafe descriptor.period_ms = periodMilliseconds
          unsafe descriptor.minimum = minimum
          unsafe descriptor.maximum = maximum
          unsafe descriptor.resolution = resolution
          return unsafe withUnsafePointer(to: descriptor) { unsafe body($0) }
        }
      }
    }
  }
}
