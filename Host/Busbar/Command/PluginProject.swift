// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import Foundation

/// What `busbar plugin new` writes: a template with its names exchanged.
struct PluginProject {
  enum Language: String, CaseIterable {
    case c, cpp, rust, swift
  }

  let language: Language
  /// The adapter's id: `heat-rod`.
  let name: String
  /// The plugin's id: `org.example.heat-rod`.
  let id: String

  init(language: Language, name: String, id: String?) throws {
    guard Self.isName(name) else {
      throw CommandFailure(
        "\(name) cannot be the name: expected lower case letters, digits and single hyphens, a letter first, 2 to 40 characters",
        exitCode: 2)
    }
    let id = id ?? "org.example.\(name)"
    guard Self.isDomain(id) else {
      throw CommandFailure("\(id) is no plugin id: expected a reverse domain name, such as org.example.\(name)", exitCode: 2)
    }
    guard !id.hasPrefix("org.busbar."), !id.hasPrefix("busbar.") else {
      throw CommandFailure("ids that begin with org.busbar are the project's own; use the name of a domain of yours", exitCode: 2)
    }
    self.language = language
    self.name = name
    self.id = id
  }

  /// Where headers and templates are.
  static func api() throws -> String {
    for place in Installation.pluginAPI where FileManager.default.fileExists(atPath: "\(place)/C/include/busbar/busbar.h") {
      return place
    }
    throw CommandFailure("the headers for plugins are not installed (\(Installation.pluginAPI.joined(separator: ", ")))")
  }

  /// How many files were written. The directory must be empty or missing.
  func write(to directory: String) throws -> Int {
    let files = FileManager.default
    let templates = "\(try Self.api())/Templates"
    do {
      if let old = try? files.contentsOfDirectory(atPath: directory), !old.isEmpty {
        throw CommandFailure("\(directory) is not empty; nothing was written")
      }
      // Whatever the umask: a host takes no plugin out of a directory that others may write.
      try files.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
      var count = 0
      for part in ["common", language.rawValue] {
        for file in try files.subpathsOfDirectory(atPath: "\(templates)/\(part)").sorted() {
          let source = "\(templates)/\(part)/\(file)"
          var isFolder = false
          guard files.fileExists(atPath: source, isDirectory: &isFolder) else { continue }
          let target = "\(directory)/\(exchanged(file == "gitignore" ? ".gitignore" : file))"
          if isFolder {
            try files.createDirectory(atPath: target, withIntermediateDirectories: true)
          } else {
            try exchanged(String(contentsOfFile: source, encoding: .utf8)).write(toFile: target, atomically: true, encoding: .utf8)
            count += 1
          }
        }
      }
      return count
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure("\(directory) could not be written: \(error.localizedDescription)")
    }
  }

  /// The words of the templates and what stands for them here.
  private func exchanged(_ text: String) -> String {
    let title = name.prefix(1).uppercased() + name.dropFirst().replacing("-", with: " ")
    return text.replacing("org.example.line", with: id).replacing("line-meter", with: name)
      .replacing("line_meter", with: name.replacing("-", with: "_")).replacing("Line meter", with: title)
      .replacing("BUSBAR_API ?= ../..", with: "BUSBAR_API ?= $(shell $(BUSBAR) plugin api)")
      .replacing("../../SPEC.md", with: "SPEC.md (busbar plugin api says where)")
  }

  private static func isName(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return (2...40).contains(text.utf8.count) && text.first?.isLetter == true && parts.allSatisfy(isLabel)
  }

  private static func isDomain(_ text: String) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return labels.count >= 2 && text.utf8.count <= 128
      && labels.allSatisfy { $0.split(separator: "-", omittingEmptySubsequences: false).allSatisfy(isLabel) }
  }

  private static func isLabel(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
  }
}
