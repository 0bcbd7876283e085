// SPDX-License-Identifier: Apache-2.0

/// Minutes of one device: those of an hour, or fewer.
package struct Block: Sendable, Equatable {
  package struct Series: Sendable, Equatable {
    package var unit = ""
    package var isCounter = false
    /// Numbers are kept as multiples of this; 0 = as they are.
    package var step = 0.0
    /// In order of the minute, each once.
    package internal(set) var minutes: [Minute] = []

    package init(unit: String = "", isCounter: Bool = false, step: Double = 0) {
      self.unit = unit
      self.isCounter = isCounter
      self.step = step
    }
  }

  package struct Minute: Sendable, Equatable {
    /// Since the Unix epoch.
    package var number: Int64
    package var summary: Summary
  }

  /// By the point's name.
  package internal(set) var series: [String: Series] = [:]

  package init() {}

  package var isEmpty: Bool { series.values.allSatisfy { $0.minutes.isEmpty } }

  /// A minute that is there already, because the host was restarted within it or its clock was set back, becomes one with
  /// the new one. Of more than `most` minutes the oldest goes.
  package mutating func put(_ number: Int64, _ summary: Summary, of name: String, like kind: Series, most: Int = .max) {
    series[name, default: kind].put(number, summary, most: most)
  }

  mutating func merge(_ other: Block, most: Int = .max) {
    for (name, more) in other.series {
      guard var mine = series[name] else {
        series[name] = more
        continue
      }
      // As the point is now.
      mine.unit = more.unit
      mine.isCounter = more.isCounter
      if more.step > 0 { mine.step = more.step }
      for minute in more.minutes { mine.put(minute.number, minute.summary, most: most) }
      series[name] = mine
    }
  }

  /// The block's minutes, hour by hour.
  func byHour() -> [Int64: Block] {
    var hours: [Int64: Block] = [:]
    for (name, series) in series {
      let kind = Series(unit: series.unit, isCounter: series.isCounter, step: series.step)
      for minute in series.minutes {
        hours[minute.number.hour, default: Block()].put(minute.number, minute.summary, of: name, like: kind)
      }
    }
    return hours
  }

  /// Adds so many to the numbers of minutes below 0, which were counted while the clock was not set.
  mutating func date(_ offset: Int64) {
    for name in series.keys where series[name]?.minutes.first.map({ $0.number < 0 }) == true {
      let minutes = series[name]?.minutes ?? []
      series[name]?.minutes = []
      for minute in minutes {
        series[name]?.put(minute.number < 0 ? minute.number + offset : minute.number, minute.summary, most: .max)
      }
    }
  }
}

extension Block.Series {
  mutating func put(_ number: Int64, _ summary: Summary, most: Int) {
    guard let last = minutes.last, last.number >= number else {
      minutes.append(Block.Minute(number: number, summary: summary))
      if minutes.count > most { minutes.removeFirst(minutes.count - most) }
      return
    }
    let place = minutes.firstIndex { $0.number >= number } ?? minutes.endIndex
    if minutes[place].number == number {
      var both = Tally()
      both.add(minutes[place].summary)
      both.add(summary)
      minutes[place].summary = both.summary ?? summary
    } else {
      minutes.insert(Block.Minute(number: number, summary: summary), at: place)
      if minutes.count > most { minutes.removeFirst(minutes.count - most) }
    }
  }
}

extension Int64 {
  /// The first minute of the hour of this minute.
  var hour: Int64 { floored(to: 60) }

  /// The largest multiple that is not above it.
  func floored(to step: Int64) -> Int64 { self - ((self % step) + step) % step }
}
