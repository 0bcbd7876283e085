// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// `busbar command`: what the host's response (interfaces 3.3) means to a person.
package struct CommandOutcome: Sendable {
  package let table: Table
  /// Why the command was not carried out; nil = it was, or was taken.
  package let failure: String?

  package init(_ response: JSONValue, dryRun: Bool) {
    let status = response["status"]?.string ?? "unknown"
    var facts: [(String, Table.Cell)] = [
      ("status", HostView.stateCell(status)), ("id", Table.Cell(Format.value(response["id"]))),
    ]
    if let value = response["value"] { facts.append(("value", Table.Cell(Format.value(value)))) }
    if let text = response["text"]?.string { facts.append(("text", Table.Cell(text))) }
    if dryRun { facts.append(("dry run", "nothing was written")) }
    table = Table(facts: facts)
    failure = status == "done" || status == "accepted" ? nil : Self.sentence(status, response)
  }

  private static func sentence(_ status: String, _ response: JSONValue) -> String {
    var sentence = status
    if let reason = response["reason"]?.string { sentence += " (\(reason))" }
    if let by = response["by"]?.string { sentence += " by \(by)" }
    if let until = response["until"]?.integer { sentence += " until \(Format.time(until))" }
    if let text = response["text"]?.string { sentence += ": \(text)" }
    return printable(sentence)
  }
}
