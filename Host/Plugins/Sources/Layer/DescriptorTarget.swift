// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// What a descriptor leads to: another one of the same number leads elsewhere.
struct DescriptorTarget: Equatable {
  private let device: UInt64
  private let file: UInt64

  /// Nil where there is no such descriptor.
  init?(_ number: Int32) {
    var facts = stat()
    guard unsafe fstat(number, &facts) == 0 else { return nil }
    (device, file) = (UInt64(facts.st_dev), UInt64(facts.st_ino))
  }
}

extension ValidationLayer {
  static func lent(_ number: Int32, _ link: UInt32) {
    let target = DescriptorTarget(number)
    state.withLock { $0.descriptors[link, default: [:]][number] = target }
  }

  static func given(back number: Int32, _ link: UInt32) { state.withLock { _ = $0.descriptors[link]?.removeValue(forKey: number) } }

  /// Each is told once.
  static func closedDescriptors(of link: UInt32) -> [Int32] {
    let lent = state.withLock { $0.descriptors[link] ?? [:] }
    let closed = lent.filter { DescriptorTarget($0.key) != $0.value }.map(\.key)
    for number in closed { given(back: number, link) }
    return closed
  }
}
