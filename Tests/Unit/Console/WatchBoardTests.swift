// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import Testing

struct WatchBoardTests {
  private func point(_ value: JSONValue, _ unit: JSONValue, _ quality: JSONValue = "good") -> JSONValue {
    .object(["value": value, "unit": unit, "ts": 1_000, "quality": quality])
  }

  private var list: JSONValue {
    .array([
      .object([
        "id": "met_grid", "state": "online",
        "values": .object(["power": point(120.5, "W"), "energy_import": point(7, "Wh")]),
      ]),
      .object(["id": "sol_roof", "state": "offline", "reason": "no answer", "values": .object([:])]),
    ])
  }

  private let reading: JSONValue = .object([
    "device": "met_grid", "ts": 61_000, "values": .object(["power": -80, "frequency": 50.01]),
    "bad": .object(["energy_import": "timeout"]), "uncertain": .array(["frequency"]),
  ])

  private func text(_ board: WatchBoard, now: Int64) -> [String] {
    board.table(now: now).aligned(width: 100, colour: false)
  }

  @Test func showsWhatIsKnownAtTheStart() {
    #expect(
      text(WatchBoard(list, only: []), now: 6_000) == [
        "DEVICE    POINT          VALUE  UNIT  AGE  STATE",
        "met_grid  energy_import      7  Wh     5s  online",
        "          power          120.5  W      5s  online",
        "sol_roof  -                  -             offline: no answer",
      ])
    #expect(text(WatchBoard(list, only: ["sol_roof"]), now: 0).count == 2)
  }

  @Test func takesReadingsAndStatesIn() {
    var board = WatchBoard(list, only: ["met_grid"])
    #expect(board.lacksUnits(for: reading))
    board.learnUnits(
      .object([
        "points": .array([.object(["name": "frequency", "unit": "Hz"]), .object(["name": "power", "unit": "W"])])
      ]),
      for: reading)
    #expect(!board.lacksUnits(for: reading))
    let wasReading = board.apply(reading)
    #expect(wasReading)
    let wasState = board.apply(.object(["device": "met_grid", "ts": 62_000, "state": "degraded", "reason": "slow"]))
    #expect(!wasState)
    #expect(
      text(board, now: 63_000) == [
        "DEVICE    POINT          VALUE  UNIT  AGE  STATE",
        "met_grid  energy_import      -  Wh     1m  timeout",
        "          frequency      50.01  Hz     2s  uncertain",
        "          power            -80  W      2s  degraded: slow",
      ])
  }

  @Test func linesAreTimeDevicePointValueUnit() {
    var board = WatchBoard(list, only: [])
    board.learnUnits(nil, for: reading)
    _ = board.apply(reading)
    #expect(
      board.lines(reading) == [
        "1970-01-01T00:01:01.000Z\tmet_grid\tenergy_import\t-\tWh\ttimeout",
        "1970-01-01T00:01:01.000Z\tmet_grid\tfrequency\t50.01\t\tuncertain",
        "1970-01-01T00:01:01.000Z\tmet_grid\tpower\t-80\tW",
      ])
    #expect(board.lines(.object(["device": "met_grid", "state": "offline"])).isEmpty)
  }

  @Test func aHostileValueStaysInItsField() {
    let event: JSONValue = .object(["device": "met_grid", "ts": 0, "values": .object(["state": "a\tb\n\u{1B}[2J"])])
    #expect(WatchBoard(list, only: []).lines(event) == ["1970-01-01T00:00:00.000Z\tmet_grid\tstate\ta b  [2J\t"])
  }

  @Test func aDeviceThatCameLaterIsShown() {
    var board = WatchBoard(.array([]), only: [])
    let event: JSONValue = .object(["device": "new", "ts": 0, "values": .object(["power": 1])])
    #expect(board.lacksUnits(for: event))
    board.learnUnits(nil, for: event)
    #expect(!board.lacksUnits(for: event))
    _ = board.apply(event)
    #expect(text(board, now: 0).last == "new     power      1         0s")
  }
}
