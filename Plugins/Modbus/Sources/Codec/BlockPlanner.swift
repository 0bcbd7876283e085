// SPDX-License-Identifier: Apache-2.0

/// A range of registers for one request.
package struct Block: Equatable, Sendable {
  package var address: Address
  package var count: Int

  package init(_ address: Address, count: Int) {
    self.address = address
    self.count = count
  }

  package var end: Int { address.register + count }

  package func contains(_ field: Field) -> Bool {
    field.address.table == address.table && field.address.register >= address.register && field.end <= end
  }
}

/// Joins values into as few requests as a device allows.
package struct BlockPlanner: Sendable {
  package var limits: ReadLimits
  package var explicitBlocks: [Block]

  package init(_ limits: ReadLimits, explicitBlocks: [Block] = []) {
    self.limits = limits
    self.explicitBlocks = explicitBlocks
  }

  /// What a device has taught: where ranges must not be joined, and which explicit ranges it refuses.
  package struct Lessons: Equatable, Sendable {
    /// A request may begin here, and never runs across.
    package var cuts: Set<Address> = []
    package var refusedBlocks: Set<Address> = []
    package init() {}
  }

  /// Blocks in the order of addresses; together they hold every field.
  package func blocks(for fields: [Field], _ lessons: Lessons = Lessons()) -> [Block] {
    var blocks: [Block] = []
    var rest: [Field] = []
    for field in fields {
      let explicit = explicitBlocks.first { $0.contains(field) && !lessons.refusedBlocks.contains($0.address) }
      guard let explicit else {
        rest.append(field)
        continue
      }
      if !blocks.contains(explicit) { blocks.append(explicit) }
    }
    var open: Block?
    for field in rest.sorted(by: { ($0.address, $0.count) < ($1.address, $1.count) }) {
      if let block = open, let joined = join(block, field, lessons.cuts) {
        open = joined
      } else {
        if let open { blocks.append(open) }
        open = Block(field.address, count: field.count)
      }
    }
    if let open { blocks.append(open) }
    return blocks.sorted { $0.address < $1.address }
  }

  private func join(_ block: Block, _ field: Field, _ cuts: Set<Address>) -> Block? {
    guard field.address.table == block.address.table else { return nil }
    // Points that share a register, such as bits, share the request whatever the device allows.
    if block.contains(field) { return block }
    let count = max(block.end, field.end) - block.address.register
    guard !limits.isSingle, count <= limits.maximumRegisters, field.address.register - block.end <= limits.maximumGap
    else {
      return nil
    }
    let isCut = cuts.contains {
      $0.table == block.address.table && $0.register > block.address.register && $0.register <= field.address.register
    }
    return isCut ? nil : Block(block.address, count: count)
  }
}
