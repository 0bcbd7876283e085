// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Reads the query of a request for history.
enum HistoryQuery {
  /// What the request says is wrong.
  struct Mistake: Error, Equatable {
    var text: String
  }

  static let members = ["points", "from", "to", "step"]
  /// 9999-12-31, Unix milliseconds.
  private static let lastTime: Int64 = 253_402_300_799_999
  /// Minutes: a year.
  private static let longestStep: Int64 = 527_040

  static func request(_ query: [(Substring, Substring)]) throws(Mistake) -> HistoryRequest {
    var request = HistoryRequest()
    for (name, value) in query {
      switch name {
      case "points": request.points += try points(value)
      case "from": request.from = try time(name, value)
      case "to": request.to = try time(name, value)
      case "step": request.step = try step(value)
      default:
        throw Mistake(text: "'\(name.prefix(64))' is not known here; known are \(members.joined(separator: ", "))")
      }
    }
    guard request.points.count <= Limits.points else {
      throw Mistake(text: "at most \(Limits.points) points can be named; leave 'points' out for all")
    }
    return request
  }

  private static func points(_ value: Substring) throws(Mistake) -> [String] {
    let names = value.split(separator: ",").map(String.init)
    guard !names.isEmpty, names.allSatisfy({ $0.utf8.count <= 64 }) else {
      throw Mistake(text: "'points' has to be names of points with commas between, each of 1 to 64 bytes")
    }
    return names
  }

  private static func time(_ name: Substring, _ value: Substring) throws(Mistake) -> Int64 {
    guard let time = Int64(value), (0...lastTime).contains(time) else {
      throw Mistake(text: "'\(name)' has to be a time in Unix milliseconds, such as 1795378158674")
    }
    return time
  }

  private static func step(_ value: Substring) throws(Mistake) -> Int64 {
    let milliseconds = Units.duration(String(value))?.milliseconds ?? 0
    guard milliseconds % 60_000 == 0, (1...longestStep).contains(milliseconds / 60_000) else {
      throw Mistake(text: "'step' has to be whole minutes, such as 1m, 5m, 1h or 1d")
    }
    return milliseconds / 60_000
  }
}
