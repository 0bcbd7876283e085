// SPDX-License-Identifier: Apache-2.0

/// Blocks as bytes, a third to a fifth of what the numbers themselves take: a week of a thousand points fits in 64 MiB.
///
/// After the version: for each series its name, unit, form and step, the count of its minutes, and for each of them a byte
/// that says what is as in the minute before, then what is not. Scaled numbers are multiples of the step; the mean is
/// written as the difference from the one before, the others as their distance from the mean. Whole numbers are LEB128,
/// signed ones zigzag.
package enum BlockCodec {
  private static let version: UInt8 = 1
  /// What a reader believes; a damaged file must not take memory.
  private static let mostSeries = 65_536
  private static let mostSamples = 1 << 31
  /// Minutes from the start of a block, of whatever length it is.
  private static let farthest: Int64 = 1 << 20

  private enum Form: UInt8 { case scaled, plain, labels }

  private struct Same: OptionSet {
    let rawValue: UInt8
    static let next = Same(rawValue: 1)
    static let samples = Same(rawValue: 2)
    /// Lowest, mean and highest are one.
    static let flat = Same(rawValue: 4)
    static let value = Same(rawValue: 8)
  }

  /// Multiples of a step beyond this are not exact any more.
  private static let largest = 4_503_599_627_370_496.0

  /// `start`: no minute is before it.
  package static func encode(_ block: Block, start: Int64) -> [UInt8] {
    var out = ByteSink()
    out.byte(version)
    let parts = block.series.sorted { $0.key < $1.key }.flatMap { name, series in
      split(series).map { (name, series, $0.form, $0.minutes) }
    }
    out.count(UInt64(parts.count))
    for (name, series, form, minutes) in parts {
      out.text(name)
      out.text(series.unit)
      out.byte(form.rawValue | (series.isCounter ? 0x80 : 0))
      if form == .scaled { out.double(series.step) }
      out.count(UInt64(minutes.count))
      encode(minutes, form, step: series.step, start: start, &out)
    }
    return out.bytes
  }

  /// A point that was number and label at different times is written as two series.
  private static func split(_ series: Block.Series) -> [(form: Form, minutes: [Block.Minute])] {
    var numbers: [Block.Minute] = []
    var labels: [Block.Minute] = []
    var scaled = series.step > 0
    for minute in series.minutes {
      switch minute.summary.content {
      case .number(let low, _, let high):
        numbers.append(minute)
        scaled = scaled && max(abs(low), abs(high)) / series.step < largest
      case .label: labels.append(minute)
      }
    }
    return [(scaled ? .scaled : .plain, numbers), (.labels, labels)].filter { !$0.1.isEmpty }
  }

  private static func encode(_ minutes: [Block.Minute], _ form: Form, step: Double, start: Int64, _ out: inout ByteSink) {
    var before = start - 1
    var samples = 0
    var mean: Int64 = 0
    var labels: [String] = []
    var label: String?
    for minute in minutes {
      var same: Same = []
      if minute.number == before + 1 { same.insert(.next) }
      if minute.summary.samples == samples { same.insert(.samples) }
      let whole = { (value: Double) in Int64((value / step).rounded()) }
      switch minute.summary.content {
      case .number(let low, let middle, let high):
        if low == high { same.insert(.flat) }
        if form == .scaled, whole(middle) == mean { same.insert(.value) }
      case .label(let text): if text == label { same.insert(.value) }
      }
      out.byte(same.rawValue)
      if !same.contains(.next) { out.count(UInt64(max(0, minute.number - start))) }
      if !same.contains(.samples) { out.count(UInt64(min(minute.summary.samples, mostSamples))) }
      before = minute.number
      samples = minute.summary.samples
      switch minute.summary.content {
      case .number(let low, let middle, let high) where form == .scaled:
        if !same.contains(.value) { out.signed(whole(middle) - mean) }
        mean = whole(middle)
        if !same.contains(.flat) {
          out.count(UInt64(max(0, mean - whole(low))))
          out.count(UInt64(max(0, whole(high) - mean)))
        }
      case .number(let low, let middle, let high):
        out.double(middle)
        if !same.contains(.flat) {
          out.double(low)
          out.double(high)
        }
      case .label(let text):
        label = text
        guard !same.contains(.value) else { continue }
        if let place = labels.firstIndex(of: text) {
          out.count(UInt64(place + 1))
        } else {
          labels.append(text)
          out.count(0)
          out.text(text)
        }
      }
    }
  }

  /// Nil where the bytes are not a block.
  package static func decode(_ bytes: [UInt8], start: Int64) -> Block? {
    var input = ByteSource(bytes)
    guard input.byte() == version, let count = input.count(upTo: mostSeries) else { return nil }
    var block = Block()
    for _ in 0..<count {
      guard let name = input.text(), let unit = input.text(), let word = input.byte(), let form = Form(rawValue: word & 0x7f)
      else { return nil }
      var series = Block.Series(unit: unit, isCounter: word & 0x80 != 0)
      if form == .scaled {
        guard let step = input.double(), step > 0, step.isFinite else { return nil }
        series.step = step
      }
      // A minute takes a byte at least, and a series has one at least.
      guard let minutes = input.count(upTo: input.left), minutes > 0, decode(minutes, form, start: start, &input, into: &series) else { return nil }
      var one = Block()
      one.series[name] = series
      block.merge(one)
    }
    return input.left == 0 ? block : nil
  }

  private static func decode(
    _ count: Int, _ form: Form, start: Int64, _ input: inout ByteSource, into series: inout Block.Series
  ) -> Bool {
    var before = start - 1
    var samples = 0
    var mean: Int64 = 0
    var labels: [String] = []
    var label: String?
    for _ in 0..<count {
      guard let word = input.byte() else { return false }
      let same = Same(rawValue: word)
      if same.contains(.next) {
        before += 1
      } else {
        guard let offset = input.count(upTo: Int(farthest)) else { return false }
        before = start + Int64(offset)
      }
      guard before - start <= farthest else { return false }
      if !same.contains(.samples) {
        guard let count = input.count(upTo: mostSamples) else { return false }
        samples = count
      }
      guard samples > 0 else { return false }
      let content: Summary.Content?
      switch form {
      case .scaled: content = scaled(same, series.step, &mean, &input)
      case .plain: content = plain(same, &input)
      case .labels:
        if !same.contains(.value) { label = text(&labels, &input) }
        content = label.map { .label($0) }
      }
      guard let content else { return false }
      series.put(before, Summary(content, samples: samples), most: .max)
    }
    return true
  }

  private static func scaled(_ same: Same, _ step: Double, _ mean: inout Int64, _ input: inout ByteSource) -> Summary.Content? {
    if !same.contains(.value) {
      guard let difference = input.signed() else { return nil }
      let (sum, overflow) = mean.addingReportingOverflow(difference)
      guard !overflow else { return nil }
      mean = sum
    }
    let middle = Double(mean) * step
    guard middle.isFinite else { return nil }
    guard !same.contains(.flat) else { return .number(low: middle, mean: middle, high: middle) }
    guard let below = input.count(upTo: 1 << 54), let above = input.count(upTo: 1 << 54) else { return nil }
    let low = Double(mean) - Double(below)
    let high = Double(mean) + Double(above)
    guard (low * step).isFinite, (high * step).isFinite else { return nil }
    return .number(low: low * step, mean: middle, high: high * step)
  }

  private static func plain(_ same: Same, _ input: inout ByteSource) -> Summary.Content? {
    guard let mean = input.double(), mean.isFinite else { return nil }
    guard !same.contains(.flat) else { return .number(low: mean, mean: mean, high: mean) }
    guard let low = input.double(), let high = input.double(), low <= mean, mean <= high, low.isFinite, high.isFinite
    else { return nil }
    return .number(low: low, mean: mean, high: high)
  }

  private static func text(_ labels: inout [String], _ input: inout ByteSource) -> String? {
    guard let place = input.count(upTo: labels.count) else { return nil }
    if place > 0 { return labels[place - 1] }
    guard let text = input.text() else { return nil }
    labels.append(text)
    return text
  }
}

private struct ByteSink {
  private(set) var bytes: [UInt8] = []

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func count(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func signed(_ value: Int64) { count(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

  mutating func double(_ value: Double) {
    let bits = value.bitPattern
    for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
  }

  /// What is longer than 255 bytes is cut.
  mutating func text(_ text: String) {
    var text = text
    while text.utf8.count > 255 { text.removeLast() }
    bytes.append(UInt8(text.utf8.count))
    bytes += text.utf8
  }
}

private struct ByteSource {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var left: Int { bytes.count - place }

  mutating func byte() -> UInt8? {
    guard place < bytes.count else { return nil }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func count(upTo most: Int) -> Int? {
    guard let value = count(), value <= UInt64(most) else { return nil }
    return Int(value)
  }

  private mutating func count() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = byte() else { return nil }
      guard shift < 63 || byte < 2 else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  mutating func signed() -> Int64? {
    count().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }

  mutating func double() -> Double? {
    guard left >= 8 else { return nil }
    var bits: UInt64 = 0
    for shift in 0..<8 { bits |= UInt64(bytes[place + shift]) << UInt64(8 * shift) }
    place += 8
    return Double(bitPattern: bits)
  }

  mutating func text() -> String? {
    guard let length = byte(), left >= Int(length) else { return nil }
    defer { place += Int(length) }
    return String(validating: bytes[place..<place + Int(length)], as: UTF8.self)
  }
}
