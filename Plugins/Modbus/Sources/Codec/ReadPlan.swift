// SPDX-License-Identifier: Apache-2.0

/// What has to be asked to read some points of a device, as far as it is known by now, and whose values each answer holds.
/// Most readings are of the same points and teach nothing new, so that a plan serves many of them.
package final class ReadPlan: Sendable {
  /// A request, and the fields that its answer may hold.
  struct Asked: Sendable {
    var block: Block
    var members: [Member]
  }

  struct Member: Sendable {
    /// Place among the fields of all points.
    var field: Int
    /// Place of its first register in the answer.
    var offset: Int
  }

  /// What is known of a field.
  enum Finding: Equatable, Sendable {
    case unknown
    /// Place of its first register among all that was answered.
    case words(Int)
    case bad(BadReason, UInt8)
  }

  let points: [Point]
  /// For each point the place of its first field among all, and their number at the end.
  let places: [Int]
  let planner: BlockPlanner
  /// In the order of addresses.
  let requests: [Asked]
  /// Before anything was asked: a field that the device does not have is not asked for.
  let findings: [Finding]
  private let lessons: BlockPlanner.Lessons
  private let absent: [Address: Int64]
  /// When a register that the device did not have is asked for again.
  private let end: Int64

  /// `points` in the order of the values wanted. What has been absent long enough is forgotten in `memory`. `now` in
  /// nanoseconds, of a clock that does not go back.
  package init(_ map: DeviceMap, _ points: [Point], memory: inout ReadRun.Memory, now: Int64) {
    self.points = points
    let fields = points.readFields
    places = points.reduce(into: [0]) { $0.append($0[$0.count - 1] + ($1.reading?.fields.count ?? 0)) }
    var findings = [Finding](repeating: .unknown, count: fields.count)
    var end = Int64.max
    for (place, field) in fields.enumerated() {
      guard let until = memory.absent[field.address] else { continue }
      if now < until {
        findings[place] = .bad(.device, ExceptionCode.illegalAddress)
        end = min(end, until)
      } else {
        memory.absent[field.address] = nil
      }
    }
    planner = BlockPlanner(map.limits, explicitBlocks: map.explicitBlocks + map.windows.map(\.content))
    let wanted = fields.indices.filter { findings[$0] == .unknown }
    requests = planner.blocks(for: wanted.map { fields[$0] }, memory.lessons).map { Self.asked($0, fields) }
    self.findings = findings
    self.end = end
    lessons = memory.lessons
    absent = memory.absent
  }

  /// Nothing was learnt since, and nothing has to be asked for again.
  package func holds(_ memory: ReadRun.Memory, now: Int64) -> Bool {
    now < end && memory.lessons == lessons && memory.absent == absent
  }

  static func asked(_ block: Block, _ fields: [Field]) -> Asked {
    let members = fields.indices.lazy.filter { block.contains(fields[$0]) }
      .map { Member(field: $0, offset: fields[$0].address.register - block.address.register) }
    return Asked(block: block, members: Array(members))
  }
}
