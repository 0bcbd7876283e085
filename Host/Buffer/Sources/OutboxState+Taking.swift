// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

extension OutboxState {
  enum Take: Sendable {
    case message(OutboundMessage)
    case gap(ticket: UInt64, StreamKey, GapLedger.Item)
    /// Rows after this one have to be read first.
    case page(after: Int64, generation: UInt64)
    case nothing
  }

  /// The next message: live, then gaps, then the backlog in the order of acceptance.
  mutating func take(late limit: Int) -> Take {
    while let id = live.first {
      live.removeFirst()
      guard let entry = entries[id], entry.phase == .live else { continue }
      return .message(send(entry, late: false))
    }
    if gaps.underWayCount < Self.gapsUnderWay,
      let gap = gaps.take(unless: { streams[$0]?.heldUntil != nil }), let key = streams[gap.stream]?.key
    {
      return .gap(ticket: ticket(for: .gap(gap)), key, gap)
    }
    guard lateUnderWay < limit else { return .nothing }
    while let row = page.first, !isWaiting(row) { page.removeFirst() }
    if page.isEmpty, !exhausted, !readBlocked, totals.rows > 0 {
      return .page(after: position, generation: generation)
    }
    let inMemory = late.firstIndex { id in
      entries[id].map { streams[$0.row.stream]?.heldUntil == nil } ?? false
    }
    if let inMemory, page.first.map({ late[inMemory] < $0.id }) ?? true, let entry = entries[late[inMemory]] {
      late.remove(at: inMemory)
      return .message(send(entry, late: true))
    }
    guard let row = page.popFirst() else { return .nothing }
    return .message(send(row))
  }

  /// A read of the backlog has come; `full` = there may be more behind it.
  mutating func fill(_ rows: [OutboxRow], full: Bool, generation: UInt64) {
    readProblem = nil
    guard generation == self.generation else { return }
    position = rows.last?.id ?? position
    exhausted = !full
    page = rows.filter(isWaiting)[...]
  }

  /// The backlog cannot be read; tried again after the next tick.
  mutating func readFailed(_ sentence: String) {
    if readProblem == nil { events.append(.readFailed(sentence)) }
    readProblem = sentence
    readBlocked = true
  }

  /// The row is not in memory, not under way, not removed and not held back.
  private func isWaiting(_ row: OutboxRow) -> Bool {
    guard entries[row.id] == nil, let stream = streams[row.stream], stream.heldUntil == nil else { return false }
    return !stream.sent.contains(row.seq) && !stream.done.contains(row.seq)
  }

  private mutating func send(_ entry: Entry, late: Bool) -> OutboundMessage {
    let row = entry.row
    entries[row.id]?.phase = .underWay
    let ticket = ticket(for: .memory(id: row.id, stream: row.stream, seq: row.seq, late: late))
    return message(row, ticket: ticket, late: late)
  }

  private mutating func send(_ row: OutboxRow) -> OutboundMessage {
    let item = OutboxCandidate(id: row.id, stream: row.stream, seq: row.seq, time: row.time, cost: row.cost)
    return message(row, ticket: ticket(for: .row(item)), late: true)
  }

  private mutating func message(_ row: OutboxRow, ticket: UInt64, late: Bool) -> OutboundMessage {
    if late { lateUnderWay += 1 }
    streams[row.stream]?.sent.insert(row.seq)
    let key = streams[row.stream]?.key
    if acknowledge == .application, key?.kind == .telemetry { streams[row.stream]?.published.insert(row.seq) }
    guard let key else { preconditionFailure("a message without a stream") }
    return OutboundMessage(
      ticket: ticket, device: key.device, stream: key.kind, payload: late ? Self.latePayload(row.payload) : row.payload,
      isNewest: streams[row.stream].map { $0.block.next - 1 == row.seq } ?? false)
  }

  private mutating func ticket(for item: Item) -> UInt64 {
    defer { nextTicket += 1 }
    underWay[nextTicket] = item
    return nextTicket
  }

  /// `{"late":true,` and the rest of the object.
  static func latePayload(_ payload: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(payload.count + 12)
    bytes.append(contentsOf: #"{"late":true,"#.utf8)
    bytes.append(contentsOf: payload.dropFirst())
    return bytes
  }

  mutating func acknowledged(_ ticket: UInt64) {
    guard let item = underWay.removeValue(forKey: ticket) else { return }
    switch item {
    case .memory(let id, let stream, _, let late):
      if late { lateUnderWay -= 1 }
      refusalEnded(stream)
      guard let entry = entries[id] else { return }
      if !awaitsReceiver(stream) {
        remove(entry)
        settle(stream, entry.row.seq...entry.row.seq)
      } else if entry.written {
        entries[id] = nil
      } else {
        entries[id]?.phase = .sent
      }
    case .row(let row):
      lateUnderWay -= 1
      refusalEnded(row.stream)
      guard !awaitsReceiver(row.stream), streams[row.stream]?.done.contains(row.seq) == false else { return }
      streams[row.stream]?.done.insert(row.seq)
      leaveOut(row.stream, row.seq, cost: row.cost)
    case .gap(let gap):
      refusalEnded(gap.stream)
      gaps.acknowledged(gap.id)
    }
  }

  private func awaitsReceiver(_ stream: Int64) -> Bool {
    acknowledge == .application && streams[stream]?.key.kind == .telemetry
  }

  /// Comes again after a pause, in which the stream is left alone.
  mutating func refused(_ ticket: UInt64, now: Int64) {
    guard let item = underWay.removeValue(forKey: ticket) else { return }
    let stream: Int64
    switch item {
    case .memory(let id, let of, let seq, let wasLate):
      stream = of
      if wasLate { lateUnderWay -= 1 }
      unsend(stream, seq)
      comeAgain(id)
    case .row(let row):
      stream = row.stream
      lateUnderWay -= 1
      unsend(stream, row.seq)
    case .gap(let gap):
      stream = gap.stream
      gaps.returned(gap.id)
    }
    // Its live messages would be refused as well.
    let entries = entries
    let waiting = live.all.filter { entries[$0]?.phase == .live && entries[$0]?.row.stream == stream }
    live.removeAll { entries[$0]?.phase != .live || entries[$0]?.row.stream == stream }
    waiting.forEach { comeAgain($0) }
    late.sort()
    streams[stream]?.heldUntil = now + Self.refusalPause
    streams[stream]?.refusals += 1
    if let stream = streams[stream], stream.refusals == 1 { events.append(.refused(stream.key.device)) }
  }

  private mutating func unsend(_ stream: Int64, _ seq: Int64) {
    streams[stream]?.sent.remove(seq)
    streams[stream]?.published.remove(seq)
  }

  private mutating func refusalEnded(_ id: Int64) {
    guard let stream = streams[id], stream.refusals > 0 else { return }
    streams[id]?.refusals = 0
    events.append(.refusalEnded(stream.key.device, stream.refusals))
  }

  /// What was under way is late from now on. The caller sorts `late`.
  private mutating func comeAgain(_ id: Int64) {
    guard let entry = entries[id] else { return }
    if entry.written {
      leaveToDisk(id)
    } else {
      entries[id]?.phase = .late
      late.append(id)
    }
  }

  mutating func connectionLost() {
    underWay.removeAll()
    lateUnderWay = 0
    gaps.allReturned()
    for id in streams.keys {
      streams[id]?.sent = NumberSet()
      streams[id]?.heldUntil = nil
    }
    for (id, entry) in entries where entry.phase == .underWay || entry.phase == .sent { comeAgain(id) }
    late.sort()
    rewind(before: 1)
  }

  /// Streams whose pause is over are offered again; true = there are some.
  mutating func releaseHeld(now: Int64) -> Bool {
    var released = false
    for (id, stream) in streams where stream.heldUntil.map({ $0 <= now }) ?? false {
      streams[id]?.heldUntil = nil
      released = true
    }
    if released { rewind(before: 1) }
    return released
  }

  mutating func applicationAcknowledged(device: DeviceID, ranges: [ClosedRange<Int64>]) {
    guard acknowledge == .application, let id = streamIDs[StreamKey(device: device, kind: .telemetry)],
      let published = streams[id]?.published
    else { return }
    let numbers = NumberSet(ranges.flatMap { published.intersection($0) })
    guard !numbers.isEmpty else { return }
    streams[id]?.published.remove(numbers)
    for range in numbers.ranges {
      streams[id]?.done.insert(range)
      settle(id, range)
    }
    for entry in entries.values where entry.row.stream == id && numbers.contains(entry.row.seq) { remove(entry) }
    late.removeAll { entries[$0] == nil }
    page = page.filter { $0.stream != id || !numbers.contains($0.seq) }[...]
    generation &+= 1
  }
}
