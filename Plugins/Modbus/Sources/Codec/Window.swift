// SPDX-License-Identifier: Apache-2.0

/// Values that a device shows on request: something is written, a register tells when it is ready, and then the same
/// registers are read several times, each time with what follows.
package struct Window: Equatable, Sendable {
  /// The content counts as registers beyond the 65,536 of a table, this many a window.
  package static let stride = 0x1_0000

  package var name: String
  package var request: Request
  package var ready: Address
  package var readyValue: UInt16
  /// Milliseconds: how long it may take, and from one look to the next.
  package var within: Int
  package var every: Int
  package var block: Block
  package var times: Int
  /// Where its content counts from.
  package var base: Address

  package init(
    _ name: String, number: Int, request: Request, ready: Address, readyValue: UInt16, within: Int, every: Int,
    block: Block, times: Int
  ) {
    self.name = name
    self.request = request
    self.ready = ready
    self.readyValue = readyValue
    self.within = within
    self.every = every
    self.block = block
    self.times = times
    base = Address(.holding, Self.stride * (number + 1))
  }

  /// The content as one range.
  package var content: Block { Block(base, count: block.count * times) }
}
