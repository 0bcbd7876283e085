// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec

/// What the two limits of each place were last set to: the charger gets the stricter of both in one profile.
struct LimitWishes {
  enum Quantity: Hashable {
    case current, power
  }

  private struct Wish {
    var value: Double
    /// Boot clock, milliseconds; nil: the safe value, after a lease ended.
    var until: Int64?
  }

  private struct Key: Hashable {
    var place: Int
    var quantity: Quantity
  }

  private var wishes: [Key: Wish] = [:]

  mutating func set(_ value: Double, of quantity: Quantity, place: Int, isSafe: Bool, _ now: Moment) {
    wishes[Key(place: place, quantity: quantity)] = Wish(value: value, until: isSafe ? nil : now.boot + LimitLease.longest)
  }

  /// The limit of a place and its end. The safe value of one quantity does not stand against a live lease of the other: it is for
  /// when nobody leads.
  func limit(of place: Int, _ now: Moment) -> (limit: Limit, until: Int64) {
    func wish(_ quantity: Quantity) -> Wish? { wishes[Key(place: place, quantity: quantity)] }
    func live(_ quantity: Quantity) -> Wish? { wish(quantity).flatMap { $0.until ?? 0 > now.boot ? $0 : nil } }
    let (current, power) = (live(.current), live(.power))
    guard current != nil || power != nil else {
      return (Limit(current: wish(.current)?.value, power: wish(.power)?.value), LimitLease.forEver)
    }
    let end = min(current?.until ?? .max, power?.until ?? .max)
    return (Limit(current: current?.value, power: power?.value), end)
  }
}
