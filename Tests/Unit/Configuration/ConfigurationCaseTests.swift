// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import Foundation
import Testing

/// One folder a mistake: `busbar.yaml` or a template, and `expected.txt` with every line that check-config must print.
@Suite struct ConfigurationCaseTests {
  static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: Fixture.cases)) ?? [])
    .filter { !$0.hasPrefix("_") }.sorted()

  @Test func thereAreEnoughCases() {
    #expect(Self.names.filter { $0.hasPrefix("template-") }.count >= 20)
    #expect(Self.names.filter { !$0.hasPrefix("template-") }.count >= 30)
  }

  @Test(arguments: names) func mistakesAreReportedWhereTheyAre(name: String) throws {
    let folder = "\(Fixture.cases)/\(name)"
    let found: [Diagnostic]
    if FileManager.default.fileExists(atPath: "\(folder)/busbar.yaml") {
      let (configuration, diagnostics) = ConfigurationLoader.load(
        file: "\(folder)/busbar.yaml", manifests: Fixture.manifests, environment: Fixture.environment)
      #expect((configuration == nil) == diagnostics.contains { $0.severity == .error })
      found = diagnostics
    } else {
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
      let file = try #require(files.first)
      let (template, diagnostics) = TemplateLibrary.check("\(folder)/\(file)", manifests: Fixture.manifests)
      #expect(template == nil)
      found = diagnostics
    }
    let text = found.map { "\($0)\n" }.joined().replacing("\(folder)/", with: "")
    let expected = try String(contentsOfFile: "\(folder)/expected.txt", encoding: .utf8)
    #expect(text == expected)
    #expect(!text.contains("hunter2"))
  }
}
