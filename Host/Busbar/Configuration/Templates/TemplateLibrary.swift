// SPDX-License-Identifier: Apache-2.0

/// All templates of some directories. A broken file is left out and reported; the others work.
package struct TemplateLibrary: Sendable, Equatable {
  /// Files that are looked at, in all directories.
  package static let limit = 5000

  package private(set) var templates: [String: Template] = [:]
  /// What is wrong in the files, by directory and name.
  package private(set) var diagnostics: [Diagnostic] = []

  package init() {}

  /// Loads every `*.yaml`. A later directory's template takes the place of an earlier one's with the same name, with a
  /// warning. A directory that does not exist is empty.
  package init(directories: [String], manifests: [AdapterManifest] = [], sources: SourceFiles = SourceFiles()) {
    var count = 0
    for directory in directories {
      for name in sources.names(in: directory) ?? [] where !name.hasPrefix(".") {
        let file = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
        if name.hasSuffix(".yml") {
          diagnostics.append(
            Diagnostic(
              .warning, place: Place(file: file), message: "the file is not read as a template",
              expectation: "a name that ends in .yaml"))
        }
        guard name.hasSuffix(".yaml") else { continue }
        count += 1
        guard count <= Self.limit else {
          diagnostics.append(
            Diagnostic(
              place: Place(file: directory), message: "more than \(Self.limit) templates, the rest is not read"))
          return
        }
        add(file, manifests: manifests, sources: sources)
      }
    }
  }

  package subscript(name: String) -> Template? { templates[name] }

  /// In order.
  package var names: [String] { templates.keys.sorted() }

  /// Everything that is wrong in one file, and the template where nothing is.
  package static func check(
    _ file: String, manifests: [AdapterManifest] = [], sources: SourceFiles = SourceFiles()
  ) -> (Template?, [Diagnostic]) {
    let sink = DiagnosticSink()
    let help = "give the path of a template's .yaml file"
    let root = YAMLReader.read(file: file, help: help, sources: sources, sink: sink)
    let template = root.flatMap { TemplateReader(manifests: manifests, sink: sink).read($0, file: file) }
    return (sink.hasErrors ? nil : template, sink.sorted)
  }

  /// For a library that is kept: the places take several times the memory of all else.
  mutating func forgetPlaces() {
    for name in templates.keys { templates[name]?.forgetPlaces() }
  }

  private mutating func add(_ file: String, manifests: [AdapterManifest], sources: SourceFiles) {
    let (template, found) = Self.check(file, manifests: manifests, sources: sources)
    diagnostics += found
    guard let template else { return }
    if let other = templates.updateValue(template, forKey: template.name) {
      diagnostics.append(
        Diagnostic(
          .warning, place: Place(file: file), key: "template",
          message: "\(template.name) takes the place of the one in \(other.file)"))
    }
  }
}
