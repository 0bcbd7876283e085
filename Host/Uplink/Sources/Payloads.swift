// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel
internal import Synchronization

/// Writes the payloads of interfaces 3. Times inside are Unix milliseconds; numbers are rounded to their point's
/// resolution.
package final class Payloads: MessageEncoder {
  package let gateway: String
  package let path: HostPath
  /// Telemetry is written again and again: the buffer grows once.
  private let buffer = Mutex(JSONWriter(capacity: 2048))

  package init(gateway: String, path: HostPath) {
    self.gateway = gateway
    self.path = path
  }

  package func telemetry(_ reading: Reading, seq: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", reading.time / 1_000_000)
      if let time = reading.deviceTime { json.integer("device_ts", time / 1_000_000) }
      json.integer("seq", seq)
      json.string("gateway", gateway)
      json.string("path", path.rawValue)
      Self.values(of: reading, into: &json)
    }
  }

  package func alarm(_ alarm: Alarm, seq: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", alarm.time / 1_000_000)
      json.integer("seq", seq)
      json.string("name", alarm.name)
      json.boolean("active", alarm.active)
      json.string("text", alarm.text)
    }
  }

  /// A session as interfaces 3.4 has it, other records under `record`; both with the sequence number.
  package func record(_ record: Record, seq: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", record.members["ts"]?.integer ?? record.time)
      json.integer("seq", seq)
      guard record.kind == Record.session else {
        json.string("kind", record.kind)
        json.key("record")
        return json.value(.object(record.members))
      }
      for (name, value) in record.members.sorted(by: { $0.key < $1.key }) where !["ts", "seq", "late"].contains(name) {
        json.key(name)
        json.value(value)
      }
    }
  }

  package func gap(_ gap: Gap, time: Int64) -> [UInt8] {
    write { json in
      json.integer("ts", time)
      json.key("gap")
      json.beginObject()
      json.integer("from", gap.from)
      json.integer("to", gap.to)
      json.string("reason", gap.reason.rawValue)
      json.endObject()
    }
  }

  package func response(_ response: CommandResponse) -> [UInt8] {
    write { json in
      json.string("id", response.id)
      json.integer("ts", response.time)
      json.string("status", response.status.rawValue)
      if let document = response.document {
        json.key("value")
        json.value(document)
      } else if let value = response.value {
        json.key("value")
        json.value(value)
      }
      if let reason = response.reason { json.string("reason", reason.rawValue) }
      if let owner = response.by { json.string("by", owner) }
      if let until = response.until { json.integer("until", until) }
      if let text = response.text { json.string("text", text) }
    }
  }

  /// One JSON object. What is returned is a copy of just its size, so that the buffer stays ours to use again.
  func write(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
    buffer.withLock { json in
      json.reset()
      json.beginObject()
      body(&json)
      json.endObject()
      var payload: [UInt8] = []
      payload.reserveCapacity(json.bytes.count)
      payload.append(contentsOf: json.bytes)
      return payload
    }
  }

  private static func values(of reading: Reading, into json: inout JSONWriter) {
    var uncertain = false
    var bad = false
    json.key("values")
    json.beginObject()
    for item in reading.items {
      guard let value = item.publishedValue else {
        bad = true
        continue
      }
      if item.quality == .uncertain { uncertain = true }
      json.key(item.point.name)
      json.value(value, resolution: item.point.resolution)
    }
    json.endObject()
    if uncertain {
      json.key("uncertain")
      json.beginArray()
      for item in reading.items where item.quality == .uncertain && item.publishedValue != nil {
        json.string(item.point.name)
      }
      json.endArray()
    }
    guard bad else { return }
    json.key("bad")
    json.beginObject()
    for item in reading.items where item.publishedValue == nil {
      json.key(item.point.name)
      if case .bad(let reason) = item.quality { json.string(reason.rawValue) } else { json.string("decode") }
    }
    json.endObject()
  }
}

extension Reading.Item {
  /// What goes into `values`: nil where the quality is bad, and where a number is not finite, which JSON cannot say.
  var publishedValue: Value? {
    if case .bad = quality { return nil }
    if case .number(let number) = value, !number.isFinite { return nil }
    return value
  }
}

extension JSONWriter {
  mutating func string(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  mutating func integer(_ name: String, _ value: Int64) {
    key(name)
    integer(value)
  }

  mutating func boolean(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  mutating func number(_ name: String, _ value: Double, resolution: Double = 0) {
    key(name)
    number(value, resolution: resolution)
  }

  /// Absent where there is none.
  mutating func optional(_ name: String, _ text: String?) {
    if let text { string(name, text) }
  }
}
