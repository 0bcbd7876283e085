// SPDX-License-Identifier: Apache-2.0

import BusbarHistory
import BusbarModel
import Foundation
import Logging
import Synchronization

enum Points {
  static let power = PointDescriptor(name: "power", unit: "W", resolution: 1)
  static let energy = PointDescriptor(name: "energy_import", unit: "Wh", kind: .counter, resolution: 0)
  static let state = PointDescriptor(name: "state", type: .enumeration, kind: .state, labels: ["off", "on"])
}

let meter = DeviceID(rawValue: "met_grid")!

func reading(_ seconds: Double, _ items: Reading.Item..., device: DeviceID = meter) -> Reading {
  Reading(device: device, time: Int64(seconds * 1e9), items: items)
}

func power(_ value: Double) -> Reading.Item { Reading.Item(Points.power, .number(value)) }
func state(_ value: String) -> Reading.Item { Reading.Item(Points.state, .text(value)) }

/// 2026-11-28T12:00:00Z, Unix seconds: an hour begins.
let noon = 1_795_867_200.0

/// A history in a folder of its own with clocks that a test sets.
final class Site: Sendable {
  let folder: String
  /// Unix seconds, and seconds since boot.
  let wall = Mutex(noon)
  let boot = Mutex(100_000.0)
  let limits: HistoryLimits

  init(size: Int64 = 64 << 20, age: Duration = .seconds(7 * 86400), commit: Duration = .seconds(300)) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    limits = HistoryLimits(size: size, age: age, commit: commit)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var file: String { "\(folder)/history.db" }

  /// Of the database and everything beside it that belongs to it.
  var bytes: Int64 {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.contains("corrupt") }.reduce(0) { sum, name in
      sum + ((try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? Int64) ?? 0)
    }
  }

  var asides: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.contains("corrupt") && !$0.hasSuffix("-wal") }
  }

  func history() -> History {
    History(
      path: file, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      clock: { [self] in Int64(boot.withLock { $0 } * 1e9) }, wall: { [self] in Int64(wall.withLock { $0 } * 1e9) })
  }

  func pass(_ seconds: Double) {
    wall.withLock { $0 += seconds }
    boot.withLock { $0 += seconds }
  }
}

extension History {
  /// Rows of a point between two times in Unix seconds.
  func rows(
    _ point: String = "power", _ from: Double = noon - 86400, _ to: Double = noon + 86400 * 30, step: Int64? = 1,
    device: DeviceID = meter
  ) async throws -> [HistoryAnswer.Row] {
    let question = HistoryQuestion(
      device: device, points: [point], time: Int64(from * 1000)..<Int64(to * 1000), step: step)
    return try await answer(question)?.points.first { $0.name == point }?.rows ?? []
  }
}

func numbers(_ low: Double, _ mean: Double, _ high: Double, _ samples: Int) -> Summary {
  Summary(.number(low: low, mean: mean, high: high), samples: samples)
}
