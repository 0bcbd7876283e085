// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A part that the host cannot do without.
package struct VitalPart: Sendable {
  package let name: String
  /// Returns when the part has shown that it still turns; never where it hangs.
  package let turn: @Sendable () async -> Void

  package init(_ name: String, turn: @escaping @Sendable () async -> Void) {
    self.name = name
    self.turn = turn
  }
}

/// Which parts have answered between two looks at them. Without clock and I/O.
package struct VitalSigns: Sendable {
  package struct Look: Sendable, Equatable {
    /// Every part has answered what it was asked at the look before.
    package var isAlive: Bool
    /// Parts to ask now.
    package var ask: [Int]
    /// Parts that have just been found silent, and silent ones that have answered since.
    package var silent: [Int]
    package var back: [Int]

    package init(isAlive: Bool, ask: [Int] = [], silent: [Int] = [], back: [Int] = []) {
      self.isAlive = isAlive
      self.ask = ask
      self.silent = silent
      self.back = back
    }
  }

  private var parts: [(isAsked: Bool, isSilent: Bool)]
  private var isFirst = true

  package init(count: Int) { parts = Array(repeating: (false, false), count: count) }

  package mutating func look() -> Look {
    var look = Look(isAlive: !isFirst)
    isFirst = false
    for part in parts.indices {
      if parts[part].isAsked {
        look.isAlive = false
        if !parts[part].isSilent { look.silent.append(part) }
        parts[part].isSilent = true
      } else {
        if parts[part].isSilent { look.back.append(part) }
        parts[part].isSilent = false
        parts[part].isAsked = true
        look.ask.append(part)
      }
    }
    return look
  }

  package mutating func answered(_ part: Int) { parts[part].isAsked = false }
}

/// Asks the vital parts again and again. One that hangs keeps nobody: not the others, and not the end.
package final class VitalWatch: Sendable {
  package enum Event: Sendable, Equatable {
    /// Every part has answered.
    case alive
    case silent(String)
    case back(String)
  }

  private let parts: [VitalPart]
  private let signs: Mutex<VitalSigns>

  package init(_ parts: [VitalPart]) {
    self.parts = parts
    signs = Mutex(VitalSigns(count: parts.count))
  }

  /// Until the task is cancelled. A part that is asked has until the next look, one `period` later.
  package func run(every period: Duration, event: (Event) -> Void) async {
    repeat { look(event) } while (try? await Task.sleep(for: period)) != nil
  }

  func look(_ event: (Event) -> Void) {
    let look = signs.withLock { $0.look() }
    for part in look.back { event(.back(parts[part].name)) }
    for part in look.silent { event(.silent(parts[part].name)) }
    if look.isAlive { event(.alive) }
    for part in look.ask {
      Task {
        await parts[part].turn()
        signs.withLock { $0.answered(part) }
      }
    }
  }
}
