// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import Testing

struct TableTests {
  private var table: Table {
    var table = Table([.init("device"), .init("value", .right), .init("state")], empty: "no devices")
    table.add(["met_grid", "120.5", Table.Cell("online", .good)])
    table.add(["b", "-7", Table.Cell("offline: no answer for 3 s", .bad)])
    return table
  }

  @Test func alignsColumnsUnderTitles() {
    #expect(
      table.aligned(width: 80, colour: false) == [
        "DEVICE    VALUE  STATE",
        "met_grid  120.5  online",
        "b            -7  offline: no answer for 3 s",
      ])
  }

  @Test func colourNeverStandsAlone() {
    let coloured = table.aligned(width: 80, colour: true)
    #expect(coloured[1].contains("\u{1B}[32monline\u{1B}[0m"))
    let bare = coloured.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") }
    #expect(bare == table.aligned(width: 80, colour: false))
  }

  @Test(arguments: 1...60)
  func noLineIsWiderThanTheTerminal(width: Int) {
    for line in table.aligned(width: width, colour: false) { #expect(line.count <= width) }
  }

  @Test func whatIsCutShowsThatItIs() {
    #expect(table.aligned(width: 30, colour: false)[2] == "b            -7  offline: no …")
  }

  @Test func linesAreForPrograms() {
    #expect(table.lines == ["met_grid\t120.5\tonline", "b\t-7\toffline: no answer for 3 s"])
    #expect(Table([.init("a")]).lines.isEmpty)
  }

  @Test func emptyTableSaysSo() {
    #expect(Table([.init("a")], empty: "no devices").aligned(width: 80, colour: false) == ["no devices"])
  }

  @Test func factsHaveNoTitles() {
    let facts = Table(facts: [("id", "gw-0001"), ("role", "gateway")])
    #expect(facts.aligned(width: 80, colour: false) == ["id    gw-0001", "role  gateway"])
  }

  @Test func cellsCannotCommandTheTerminal() {
    let cell = Table.Cell("a\u{1B}[2Jb\tc\nd\u{9B}e\u{202E}f\u{7F}")
    #expect(cell.text == "a [2Jb c d e\u{FFFD}f ")
    #expect(printable("Wärmepumpe °C 電力 m³/h") == "Wärmepumpe °C 電力 m³/h")
  }
}
