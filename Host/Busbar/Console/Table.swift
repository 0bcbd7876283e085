// SPDX-License-Identifier: Apache-2.0

/// Rows and columns for people, and the same as tab-separated lines for programs.
package struct Table: Sendable, Equatable {
  package enum Alignment: Sendable { case left, right }

  /// What a cell means; shown by colour, beside its text.
  package enum Tone: Sendable { case plain, good, warning, bad, faint }

  package struct Cell: Sendable, Equatable, ExpressibleByStringInterpolation {
    package var text: String
    package var tone: Tone

    package init(_ text: String, _ tone: Tone = .plain) {
      self.text = printable(text)
      self.tone = tone
    }

    package init(stringLiteral value: String) { self.init(value) }
  }

  package struct Column: Sendable, Equatable {
    package var title: String
    package var alignment: Alignment

    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  package var columns: [Column]
  /// Without a row of titles: names on the left, facts on the right.
  package var headless: Bool
  /// What a person reads where there are no rows.
  package var empty: String
  package private(set) var rows: [[Cell]] = []

  package init(_ columns: [Column], headless: Bool = false, empty: String = "nothing") {
    self.columns = columns
    self.headless = headless
    self.empty = empty
  }

  /// Names and facts.
  package init(facts: [(String, Cell)]) {
    self.init([Column("name"), Column("fact")], headless: true)
    for (name, fact) in facts { add([Cell(name, .faint), fact]) }
  }

  /// Cells that are missing are empty.
  package mutating func add(_ cells: [Cell]) {
    rows.append(cells + Array(repeating: "", count: max(0, columns.count - cells.count)))
  }

  /// For a pipe: one line a row, tabs between the cells, no titles.
  package var lines: [String] { rows.map { $0.map(\.text).joined(separator: "\t") } }

  /// For a terminal: aligned, titles first, no line wider than `width`.
  package func aligned(width: Int, colour: Bool) -> [String] {
    guard !rows.isEmpty else { return [empty] }
    let titles = columns.map { Cell($0.title.uppercased(), .faint) }
    let all = headless ? rows : [titles] + rows
    let widths = columns.indices.map { column in all.map { $0[column].text.count }.max() ?? 0 }
    return all.map { line($0, widths, width: width, colour: colour) }
  }

  private func line(_ cells: [Cell], _ widths: [Int], width: Int, colour: Bool) -> String {
    var line = ""
    var used = 0
    for (column, cell) in cells.enumerated() {
      let gap = column == 0 ? 0 : 2
      guard used + gap < width else { break }
      let room = width - used - gap
      let text = cell.text.count > room ? String(cell.text.prefix(room - 1)) + "…" : cell.text
      let padding = String(repeating: " ", count: max(0, min(widths[column], room) - text.count))
      let painted = colour ? Self.paint(text, cell.tone) : text
      line += String(repeating: " ", count: gap)
      line += columns[column].alignment == .left ? painted + padding : padding + painted
      used += gap + min(max(widths[column], text.count), room)
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  /// Select Graphic Rendition, ECMA-48 8.3.117.
  private static func paint(_ text: String, _ tone: Tone) -> String {
    let code: String
    switch tone {
    case .plain: return text
    case .good: code = "32"
    case .warning: code = "33"
    case .bad: code = "31"
    case .faint: code = "2"
    }
    return text.isEmpty ? text : "\u{1B}[\(code)m\(text)\u{1B}[0m"
  }
}

/// The text without what a terminal would obey: control characters and marks that turn the direction of writing. Devices,
/// files and far ends choose these texts, not the person who reads them.
package func printable(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: result.append(" ")
    case .format, .surrogate, .privateUse: result.append("\u{FFFD}")
    default: result.append(scalar)
    }
  }
  return String(result)
}
