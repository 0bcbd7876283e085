// SPDX-License-Identifier: Apache-2.0

/// Stands between the plugin and the device and spoils what the device says.
protocol HostilePeer: Sendable {
  /// What the link leads to instead of the device.
  var farEnd: FarEnd { get }
  func behave(_ new: Manner)
  /// What the plugin said since the peer is silent; 64 pieces at most.
  var heard: [[UInt8]] { get }
  /// How often it sent the same request meanwhile, where that was more than once.
  var repeated: Int? { get }
}

/// How a hostile peer behaves.
enum Manner: Sendable, Equatable {
  case honest
  /// The last part of each answer is lost.
  case truncated
  case doubled
  /// Each answer comes later than this.
  case delayed(Duration)
  /// One bit of each answer is another.
  case flipped
  /// After an answer comes more, and more.
  case endless
  case silent
  /// The connection ends instead of an answer.
  case closing
  /// The connection ends right behind an answer.
  case closingBehind
  /// Answers come as the other kind of message; where there are no kinds, as they are.
  case otherKind
}

/// The same numbers from the same seed (SplitMix64, Steele, Lea and Flood 2014).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var number = state
    number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
    number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
    return number ^ (number >> 31)
  }
}
