// SPDX-License-Identifier: Apache-2.0
// A central system on stdin and stdout, for judges in other languages. Each line in is a list, each answer a list of effects:
//   ["start", "ocpp1.6", {stored}, {settings}]     begins anew, with what was stored
//   ["connected", boot, unix]  ["disconnected", boot, unix]  ["tick", boot, unix]  ["received", boot, unix, "text"]
//   ["command", boot, unix, ticket, {command}]     ["authorized", boot, unix, ticket, "Accepted"]
//
// `ocpp-central --messages ROUNDS` answers the lines of stdin, each a message of 1.6 from its third element on, so often, and
// prints the nanoseconds that one took.

internal import Glibc
internal import PluginJSON

if CommandLine.arguments.count > 2, CommandLine.arguments[1] == "--messages" {
  var lines: [[UInt8]] = []
  while let line = readLine() { lines.append(Array(line.utf8)) }
  print(measure(lines, Int(CommandLine.arguments[2]) ?? 1))
} else {
  var judge = Judge()
  let limits = JSON.Limits(bytes: 1 << 24, depth: 40, values: 1 << 20)
  while let line = readLine() {
    let items = (try? JSON(parsing: Array(line.utf8), limits: limits))?.array ?? []
    print(JSON.array(judge.answer(items)).text)
    // A pipe is not flushed at the end of a line.
    fflush(nil)
  }
}
