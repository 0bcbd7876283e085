// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Our calls to a charger: one outstanding at a time (1.6J section 4.1.1; 2.0.1 part 4 section 4.1.4), the others wait in order.
package struct CallQueue<Purpose: Sendable>: Sendable {
  package struct Call: Sendable {
    package var id: String
    package var action: String
    package var payload: JSON
    package var purpose: Purpose
    /// Milliseconds to wait for the answer.
    package var patience: Int64
  }

  /// Whose answer something is.
  package enum Match: Sendable {
    case answered(Call)
    /// The call was given up before.
    case late(action: String)
    case unknown
  }

  package static var mostWaiting: Int { 32 }
  private static var mostLapsed: Int { 16 }

  private let prefix: String
  private var number = 0
  private var waiting: [Call] = []
  private(set) package var outstanding: Call?
  private var deadline: Int64 = 0
  private var lapsed: [(id: String, action: String)] = []

  /// `prefix` makes ids unique among connections; at most 20 characters.
  package init(prefix: String) { self.prefix = prefix.cut(to: 20) }

  package var count: Int { waiting.count + (outstanding == nil ? 0 : 1) }

  /// When the outstanding call is given up, by the boot clock.
  package var expiry: Int64? { outstanding == nil ? nil : deadline }

  /// False where too many wait already. `first` overtakes those that wait: commands go before housekeeping.
  package mutating func add(_ action: String, _ payload: JSON, _ purpose: Purpose, patience: Int64, first: Bool = false) -> Bool {
    guard waiting.count < Self.mostWaiting else { return false }
    number += 1
    let call = Call(id: "\(prefix)-\(number)", action: action, payload: payload, purpose: purpose, patience: patience)
    if first { waiting.insert(call, at: 0) } else { waiting.append(call) }
    return true
  }

  /// The next call to send, where none is outstanding.
  package mutating func next(_ now: Moment) -> Frame? {
    guard outstanding == nil, !waiting.isEmpty else { return nil }
    let call = waiting.removeFirst()
    outstanding = call
    deadline = now.boot + call.patience
    return .call(id: call.id, action: call.action, payload: call.payload)
  }

  /// An answer or an error with this id came.
  package mutating func answer(_ id: String) -> Match {
    if let call = outstanding, call.id == id {
      outstanding = nil
      return .answered(call)
    }
    if let index = lapsed.firstIndex(where: { $0.id == id }) { return .late(action: lapsed.remove(at: index).action) }
    return .unknown
  }

  /// The call that was not answered in time. What comes for it later is known as late.
  package mutating func expire(_ now: Moment) -> Call? {
    guard let call = outstanding, now.boot >= deadline else { return nil }
    outstanding = nil
    lapsed.append((call.id, call.action))
    if lapsed.count > Self.mostLapsed { lapsed.removeFirst() }
    return call
  }

  /// The connection is gone: nobody knows about the first, the others were never sent.
  package mutating func disconnect() -> (unknown: Call?, unsent: [Call]) {
    let result = (outstanding, waiting)
    outstanding = nil
    waiting = []
    lapsed = []
    return result
  }
}
