// SPDX-License-Identifier: Apache-2.0

/// Reads YAML files into bounded trees. What is wrong goes to the sink; nothing is thrown.
enum YAMLReader {
  /// Bytes of a file.
  static let size = 1 << 20
  /// Levels of lists and maps.
  static let depth = 32
  /// Values of a file, after aliases are resolved.
  static let nodes = 100_000

  /// Nil where the file cannot be read or is not YAML; then the sink has at least one error. An empty file is an empty map.
  static func read(file: String, help: String, sources: SourceFiles = SourceFiles(), sink: DiagnosticSink) -> YAMLNode? {
    switch sources.read(file, limit: size) {
    case .success(let bytes): return read(bytes: bytes, file: file, sink: sink)
    case .failure(.missing): sink.error(Place(file: file), "", "there is no such file; \(help)")
    case .failure(.tooLarge(let count)):
      sink.error(Place(file: file), "", "the file has \(count) bytes", expected: "at most 1 MiB")
    case .failure(let failure): sink.error(Place(file: file), "", failure.sentence)
    }
    return nil
  }

  static func read(bytes: [UInt8], file: String, sink: DiagnosticSink) -> YAMLNode? {
    guard bytes.count <= size else {
      sink.error(Place(file: file), "", "the file has \(bytes.count) bytes", expected: "at most 1 MiB")
      return nil
    }
    var bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      sink.error(invalid(bytes, file: file), "", "the file is not UTF-8", expected: "a text file in UTF-8")
      return nil
    }
    if let finding = YAMLGuard.check(bytes) {
      let place = Place(file: file, line: finding.line, column: finding.column)
      sink.error(place, "", finding.message, expected: finding.expectation)
      return nil
    }
    var composer = YAMLComposer(file: file, sink: sink)
    return composer.compose(text)
  }

  /// The first place that is not UTF-8.
  private static func invalid(_ bytes: [UInt8], file: String) -> Place {
    var line = 1
    for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil {
        let before = String(decoding: part, as: UTF8.self).unicodeScalars.prefix { $0 != "\u{FFFD}" }
        return Place(file: file, line: line, column: before.count + 1)
      }
      line += 1
    }
    return Place(file: file, line: 1, column: 1)
  }
}
