// SPDX-License-Identifier: Apache-2.0

/// What one poll of one device gave: the body of one telemetry message.
package struct Reading: Sendable, Equatable {
  package struct Item: Sendable, Equatable {
    package var point: PointDescriptor
    package var quality: Quality
    /// Nil exactly where the quality is bad.
    package var value: Value?

    package init(_ point: PointDescriptor, _ value: Value, uncertain: Bool = false) {
      self.point = point
      self.quality = uncertain ? .uncertain : .good
      self.value = value
    }

    package init(_ point: PointDescriptor, bad reason: BadReason) {
      self.point = point
      self.quality = .bad(reason)
      self.value = nil
    }
  }

  package var device: DeviceID
  /// When the values were taken, Unix nanoseconds.
  package var time: Int64
  /// The device's own time, Unix nanoseconds, where it gives one.
  package var deviceTime: Int64?
  package var items: [Item]
  /// On disk before it is acknowledged to the plugin (billing readings).
  package var durable: Bool

  package init(device: DeviceID, time: Int64, deviceTime: Int64? = nil, items: [Item], durable: Bool = false) {
    self.device = device
    self.time = time
    self.deviceTime = deviceTime
    self.items = items
    self.durable = durable
  }
}
