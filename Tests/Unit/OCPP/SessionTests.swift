// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

private let minute: Int64 = 60_000

@Suite struct SessionEnergyTests {
  /// Registers at a minute's distance, beginning with the start; nil at the end is no stop reading.
  private func energy(_ start: Double?, _ readings: [Double], _ stop: Double?) -> SessionEnergy {
    var energy = SessionEnergy()
    energy.begin(start, at: 0)
    for (index, reading) in readings.enumerated() { energy.read(reading, at: Int64(index + 1) * minute) }
    energy.end(stop, at: Int64(readings.count + 1) * minute)
    return energy
  }

  private func expect(
    _ energy: SessionEnergy, _ wattHours: Double?, _ doubts: Set<Doubt> = [], _ place: SourceLocation = #_sourceLocation
  ) {
    #expect(energy.wattHours == wattHours, sourceLocation: place)
    #expect(energy.doubts == doubts, sourceLocation: place)
  }

  @Test func straight() {
    expect(energy(1000, [1100, 1200.4, 1300], 1350), 350)
    expect(energy(1000, [], 1350), 350)
    expect(energy(0, [100, 200], 250), 250)
    // Whole watt-hours at the end, tenths before.
    expect(energy(1000, [1100, 1200.7], 1200), 200)
  }

  @Test func missingReadings() {
    expect(energy(nil, [1100, 1200], 1300), 200, [.noStart])
    expect(energy(nil, [], 1300), nil, [.noStart])
    expect(energy(1000, [1100, 1200], nil), 200, [.noStop])
    expect(energy(nil, [], nil), nil, [.noStop])
  }

  @Test func zeroReadings() {
    expect(energy(0, [123_456, 123_556], 123_656), 200, [.zeroStart])
    expect(energy(0, [], 123_656), 123_656, [.zeroStart])
    expect(energy(1000, [1100, 1200], 0), 200, [.zeroStop])
    // For a moment, and forgotten.
    expect(energy(1000, [1100, 0, 1200], 1300), 300)
    expect(energy(1000, [1100, 0], 1300), 300)
  }

  @Test func fallingRegister() {
    expect(energy(1000, [1100, 1200, 0, 50, 90], 100), 300, [.fell])
    expect(energy(1000, [1100, 0], 50), 150, [.fell])
    expect(energy(1000, [1100], 1050), 50, [.stopBelowReading])
    expect(energy(1000, [1100], 900), 100, [.fell])
    expect(energy(1000, [1100, 900, 850, 870], 880), 130, [.fell])
  }

  @Test func jumps() {
    // Thousandfold for a moment.
    expect(energy(1000, [1100, 1_100_000, 1300], 1400), 400)
    expect(energy(1000, [1100, 1_100_000, 1_100_100], 1_100_200), 1_099_200, [.jumped])
    expect(energy(1000, [1100], 9_000_000), 8_999_000, [.jumped])
    // Hours without readings are no jump.
    var energy = SessionEnergy()
    energy.begin(1000, at: 0)
    energy.read(80_000, at: 4 * 60 * minute)
    energy.end(90_000, at: 5 * 60 * minute)
    expect(energy, 89_000)
  }

  @Test func olderReadingsAndNonsense() {
    var energy = SessionEnergy()
    energy.begin(1000, at: 10 * minute)
    #expect(energy.read(1100, at: 11 * minute) == true)
    #expect(energy.read(1050, at: 5 * minute) == false)
    #expect(energy.read(-5, at: 12 * minute) == false)
    expect(energy, 100)
  }

  @Test func keptAndReadBack() throws {
    for original in [energy(1000, [1100, 0, 50], nil), energy(0, [], 5), energy(nil, [], nil)] {
      let json = try JSON(parsing: original.json.bytes)
      var copy = SessionEnergy(json)
      #expect(copy == original)
      copy.read(1e6, at: 1)
    }
    #expect(SessionEnergy(["a": "x", "d": ["nonsense"]]) == SessionEnergy())
  }
}

@Suite struct SessionBook16Tests {
  private var book = SessionBook()

  private func start(_ connector: Int = 1, _ register: Double? = 1000, stamp: String = "s", at seconds: Int64 = 0) -> SessionBook.Start {
    SessionBook.Start(connector: connector, tag: "TAG", register: register, stamp: stamp, began: EventTime(at(seconds).unix))
  }

  private func reading(_ register: Double, at seconds: Int64) -> TimedReading {
    TimedReading(MeterReading([MeterSample(value: register)]), at: at(seconds).unix)
  }

  @Test mutating func wholeSession() {
    let (id, isRepeat) = book.start(start(), at(0))
    #expect(!isRepeat)
    #expect(book.takeChanges() == [.news(id: String(id))])
    book.read([reading(1100, at: 60)], connector: 1, transaction: id, at(60))
    #expect(book.takeChanges() == [.reading(id: String(id))])
    book.stop(SessionBook.Stop(transaction: id, register: 1200, ended: EventTime(at(120).unix), tag: "TAG", reason: "Remote"), at(120))
    #expect(book.takeChanges() == [.news(id: String(id))])
    #expect(book.open.isEmpty)
    #expect(
      book[String(id)]?.document(at(121))
        == [
          "ts": .integer(at(121).unix), "connector": 1, "session": .string(String(id)), "state": "ended",
          "started": .integer(at(0).unix), "energy": 200, "power": 0, "tag": "TAG", "stopped": .integer(at(120).unix), "reason": "Remote",
        ])
  }

  @Test mutating func repeatedStart() {
    let (first, _) = book.start(start(), at(0))
    #expect(book.start(start(), at(30)).id == first)
    book.stop(SessionBook.Stop(transaction: first, register: 1200, ended: EventTime(at(60).unix)), at(60))
    // Even after the end.
    #expect(book.start(start(), at(90)).id == first)
    #expect(book.open.isEmpty)
    let (second, isRepeat) = book.start(start(stamp: "later", at: 100), at(100))
    #expect(second != first && !isRepeat)
  }

  @Test mutating func repeatedStop() {
    let (id, _) = book.start(start(), at(0))
    book.stop(SessionBook.Stop(transaction: id, register: 1200, ended: EventTime(at(60).unix)), at(60))
    _ = book.takeChanges()
    book.stop(SessionBook.Stop(transaction: id, register: 9999, ended: EventTime(at(90).unix)), at(90))
    #expect(book.takeChanges().isEmpty)
    #expect(book[String(id)]?.energy.wattHours == 200)
  }

  @Test mutating func neverAnnounced() {
    book.read([reading(5000, at: 10), reading(5100, at: 20)], connector: 2, transaction: 77, at(20))
    #expect(book["77"]?.connector == 2)
    #expect(book["77"]?.energy.doubts == [.startUnknown, .noStart])
    book.stop(SessionBook.Stop(transaction: 77, register: 5200, ended: EventTime(at(60).unix)), at(60))
    #expect(book["77"]?.energy.wattHours == 200)
    // Its number is not given again.
    let (id, _) = book.start(start(), at(100))
    #expect(id > 77)
  }

  @Test mutating func stopOfNothing() {
    let ended = EventTime(at(60).unix)
    let id = book.stop(SessionBook.Stop(transaction: 99, register: 5200, ended: ended, tag: "T"), at(60))
    let document = book[id]?.document(at(60))
    #expect(document?["energy"] == .null)
    #expect(document?["uncertain"] == ["energy", "started"])
    let begin = TimedReading(MeterReading([MeterSample(value: 5000)]), context: "Transaction.Begin", at: at(0).unix)
    let other = book.stop(SessionBook.Stop(transaction: 100, register: 5200, ended: ended, readings: [begin]), at(60))
    #expect(book[other]?.energy.wattHours == 200)
  }

  @Test mutating func stopWithANumberOfItsOwn() {
    let (id, _) = book.start(start(), at(0))
    book.stop(SessionBook.Stop(transaction: -1, register: 1300, ended: EventTime(at(60).unix), tag: "TAG"), at(60))
    #expect(book[String(id)]?.energy.wattHours == 300)
    #expect(book[String(id)]?.energy.doubts == [.wrongID])
  }

  @Test mutating func nextSessionBeforeTheEnd() {
    let (first, _) = book.start(start(), at(0))
    book.read([reading(1500, at: 60)], connector: 1, transaction: first, at(60))
    let (second, _) = book.start(start(1, 1600, stamp: "later", at: 100), at(100))
    #expect(book[String(first)]?.isEnded == true)
    #expect(book[String(first)]?.energy.doubts == [.stopUnknown, .noStop])
    // The lost end comes after all.
    book.stop(SessionBook.Stop(transaction: first, register: 1600, ended: EventTime(at(90).unix)), at(110))
    #expect(book[String(first)]?.energy.wattHours == 600)
    #expect(book[String(first)]?.energy.doubts == [])
    #expect(book.session(on: 1)?.id == String(second))
  }

  @Test mutating func restart() throws {
    let (id, _) = book.start(start(), at(0))
    book.read([reading(1100, at: 60)], connector: 1, transaction: id, at(60))
    var stored: [String: JSON] = [:]
    for (key, value) in book.stored(String(id)) { stored[key] = try value.map { try JSON(parsing: $0.bytes) } }
    var again = SessionBook(stored: stored)
    #expect(again.session(on: 1)?.id == String(id))
    #expect(again.start(start(), at(90)).id == id)
    again.stop(SessionBook.Stop(transaction: id, register: 1250, ended: EventTime(at(120).unix)), at(120))
    #expect(again[String(id)]?.document(at(120))["energy"] == 250)
    for (key, value) in again.stored(String(id)) { stored[key] = value }
    #expect(stored["session.1"] == nil)
    // What ended is known after the next restart too.
    var third = SessionBook(stored: stored)
    third.stop(SessionBook.Stop(transaction: id, register: 9999, ended: EventTime(at(130).unix)), at(130))
    #expect(third.takeChanges().isEmpty)
    #expect(third.start(start(1, 1, stamp: "x"), at(140)).id > id)
  }

  @Test mutating func storedValuesAreSmall() {
    for connector in 1...40 {
      let long = SessionBook.Start(
        connector: connector, tag: String(repeating: "t", count: 500), register: 1e9, stamp: String(repeating: "s", count: 500),
        began: EventTime(at(0).unix))
      let (id, _) = book.start(long, at(Int64(connector)))
      for (key, value) in book.stored(String(id)) {
        #expect(key.utf8.count <= 64)
        #expect((value?.bytes.count ?? 0) <= 4096)
      }
    }
    #expect(book.open.count <= SessionBook.mostOpen)
    #expect(book.ended.count <= SessionBook.mostEnded)
  }

  @Test func nonsenseInTheStore() {
    let book = SessionBook(stored: ["book": "x", "session.1": ["id": 7], "session.2": .null, "other": [:]])
    #expect(book.open.isEmpty)
  }
}

@Suite struct SessionBook201Tests {
  private var book = SessionBook()

  private func event(
    _ kind: SessionBook.Event.Kind, _ number: Int64, at seconds: Int64, _ register: Double? = nil, state: String? = nil
  ) -> SessionBook.Event {
    var event = SessionBook.Event(kind, transaction: "tx", sequence: number, time: EventTime(at(seconds).unix))
    event.evse = 1
    event.chargingState = state
    let context = kind == .started ? "Transaction.Begin" : kind == .ended ? "Transaction.End" : "Sample.Periodic"
    if let register { event.readings = [TimedReading(MeterReading([MeterSample(value: register)]), context: context, at: at(seconds).unix)] }
    return event
  }

  @Test mutating func wholeSession() {
    #expect(book.receive(event(.started, 0, at: 0, 1000, state: "EVConnected"), at(0)) == true)
    #expect(book["tx"]?.state == .preparing)
    book.receive(event(.updated, 1, at: 10, state: "Charging"), at(10))
    #expect(book["tx"]?.state == .charging)
    book.receive(event(.updated, 2, at: 70, 1100), at(70))
    book.receive(event(.updated, 3, at: 80, state: "SuspendedEV"), at(80))
    #expect(book["tx"]?.state == .suspendedEV)
    book.receive(event(.updated, 4, at: 90, state: "EVConnected"), at(90))
    #expect(book["tx"]?.state == .finishing)
    book.receive(event(.ended, 5, at: 100, 1200), at(100))
    #expect(book["tx"]?.energy.wattHours == 200)
    #expect(book["tx"]?.energy.doubts == [])
    #expect(book.open.isEmpty)
  }

  @Test mutating func repeats() {
    book.receive(event(.started, 0, at: 0, 1000), at(0))
    #expect(book.receive(event(.started, 0, at: 0, 1000), at(1)) == false)
    book.receive(event(.ended, 1, at: 100, 1200), at(100))
    #expect(book.receive(event(.ended, 1, at: 100, 1500), at(130)) == false)
    #expect(book["tx"]?.energy.wattHours == 200)
  }

  @Test mutating func outOfOrder() {
    book.receive(event(.updated, 1, at: 60, 1100), at(60))
    #expect(book["tx"]?.energy.doubts == [.startUnknown, .noStart])
    book.receive(event(.started, 0, at: 0, 1000), at(61))
    book.receive(event(.ended, 2, at: 100, 1200), at(100))
    #expect(book["tx"]?.energy.wattHours == 200)
    #expect(book["tx"]?.energy.doubts == [])
    #expect(book["tx"]?.started == at(0).unix)
  }

  @Test mutating func countingAnewAfterARestart() {
    book.receive(event(.started, 0, at: 0, 1000), at(0))
    book.receive(event(.updated, 1, at: 60, 1100), at(60))
    #expect(book.receive(event(.updated, 0, at: 120, 1200), at(120)) == true)
    #expect(book["tx"]?.energy.wattHours == 200)
  }

  @Test mutating func withoutReadings() {
    book.receive(event(.started, 0, at: 0), at(0))
    book.receive(event(.ended, 1, at: 100), at(100))
    #expect(book["tx"]?.document(at(100))["energy"] == .null)
    #expect(book["tx"]?.document(at(100))["uncertain"] == ["energy"])
  }

  @Test func numbers() {
    var tracker = SequenceTracker()
    #expect(tracker.receive(0) == .new)
    #expect(tracker.receive(3) == .new)
    #expect(tracker.missing == [1, 2])
    #expect(tracker.receive(1) == .new)
    #expect(tracker.receive(1) == .repeat)
    #expect(!tracker.isComplete)
    #expect(tracker.receive(2) == .new)
    #expect(tracker.isComplete)
    #expect(tracker.receive(.max) == .new)
    #expect(tracker.lostCount)
    #expect(tracker.receive(-1) == .repeat)
  }
}
