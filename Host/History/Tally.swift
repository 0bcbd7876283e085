// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What a point was in a span of time.
package struct Summary: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    /// `mean` is that of the samples, each counting the same; booleans are 0 and 1, so that it is the share of time on.
    case number(low: Double, mean: Double, high: Double)
    /// The label that most samples had, of equals the one that came first.
    case label(String)
  }

  package var content: Content
  /// Samples with a value: good and uncertain ones. At least 1.
  package var samples: Int

  package init(_ content: Content, samples: Int) {
    self.content = content
    self.samples = samples
  }
}

/// Adds up samples of a point, or summaries of shorter spans.
package struct Tally: Sendable, Equatable {
  /// Labels that are told apart in one span; of a device that gives another text each time the first ones count.
  static let mostLabels = 8
  /// Bytes of a label; what is longer is cut.
  static let longestLabel = 64

  private var low = Double.infinity
  private var high = -Double.infinity
  private var sum = 0.0
  private var numbers = 0
  private var labels: [Label] = []

  private struct Label: Sendable, Equatable {
    var text: String
    var count: Int
  }

  package init() {}

  package mutating func add(_ value: Value) {
    switch value {
    case .text(let text): add(text, count: 1)
    case .number, .integer, .boolean:
      guard let number = value.number, number.isFinite else { return }
      add(low: number, sum: number, high: number, count: 1)
    }
  }

  package mutating func add(_ summary: Summary) {
    switch summary.content {
    case .number(let low, let mean, let high):
      add(low: low, sum: mean * Double(summary.samples), high: high, count: summary.samples)
    case .label(let text): add(text, count: summary.samples)
    }
  }

  /// Nil where there was no value: what is missing is not 0. A point that gives numbers and labels is what it mostly was.
  package var summary: Summary? {
    let first = labels.max { $0.count < $1.count }
    let labelled = labels.reduce(0) { $0 + $1.count }
    if numbers > 0, numbers >= labelled {
      // Rounding must not put the mean beside its limits, and numbers without measure must not make it none.
      let mean = sum.isFinite ? min(max(sum / Double(numbers), low), high) : low / 2 + high / 2
      return Summary(.number(low: low, mean: mean, high: high), samples: numbers)
    }
    return first.map { first in
      let winner = labels.first { $0.count == first.count } ?? first
      return Summary(.label(winner.text), samples: labelled)
    }
  }

  package mutating func clear() {
    low = .infinity
    high = -.infinity
    sum = 0
    numbers = 0
    if !labels.isEmpty { labels.removeAll(keepingCapacity: true) }
  }

  private mutating func add(low: Double, sum: Double, high: Double, count: Int) {
    self.low = min(self.low, low)
    self.high = max(self.high, high)
    self.sum += sum
    numbers += count
  }

  private mutating func add(_ text: String, count: Int) {
    let text = text.utf8.count > Self.longestLabel ? Self.cut(text) : text
    if let place = labels.firstIndex(where: { $0.text == text }) {
      labels[place].count += count
    } else if labels.count < Self.mostLabels {
      labels.append(Label(text: text, count: count))
    }
  }

  private static func cut(_ text: String) -> String {
    var cut = ""
    for character in text {
      guard cut.utf8.count + character.utf8.count <= longestLabel else { break }
      cut.append(character)
    }
    return cut
  }
}
