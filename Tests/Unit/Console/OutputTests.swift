// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import BusbarSystem
import Foundation
import Testing

struct OutputTests {
  private func written(_ form: Output.Form, _ body: (Output) throws -> Void) throws -> String {
    let pipe = Pipe()
    let output = Output(form: form, descriptor: Descriptor(owning: dup(pipe.fileHandleForWriting.fileDescriptor)))
    try body(output)
    try pipe.fileHandleForWriting.close()
    return String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
  }

  private var table: Table {
    var table = Table([.init("point"), .init("value", .right)])
    table.add(["power", Table.Cell("5", .good)])
    return table
  }

  @Test func threeForms() throws {
    let json: JSONValue = .object(["power": 5])
    #expect(try written(.json) { try $0.show(table, json: json) } == "{\"power\":5}\n")
    #expect(try written(.lines) { try $0.show(table, json: json) } == "power\t5\n")
    let terminal = Terminal(width: 40, height: 10, colour: false)
    #expect(try written(.terminal(terminal)) { try $0.show(table, json: json) } == "POINT  VALUE\npower      5\n")
  }

  @Test func aPipeIsNoTerminal() throws {
    #expect(Terminal.on(Pipe().fileHandleForWriting.fileDescriptor) == nil)
    #expect(Terminal.wantsColour([:]))
    #expect(Terminal.wantsColour(["NO_COLOR": ""]))
    #expect(!Terminal.wantsColour(["NO_COLOR": "1"]))
    #expect(!Terminal.wantsColour(["TERM": "dumb"]))
  }

  @Test func screenIsRedrawnInPlace() {
    var screen = LiveScreen()
    #expect(screen.draw(["a", "b"], height: 10) == "a\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
    #expect(screen.draw(["c"], height: 10) == "\u{1B}[2A\rc\u{1B}[K\n\u{1B}[J")
    #expect(
      screen.draw(["1", "2", "3", "4"], height: 4)
        == "\u{1B}[1A\r1\u{1B}[K\n2\u{1B}[K\n… 2 more; name the devices to watch\u{1B}[K\n\u{1B}[J")
  }
}
