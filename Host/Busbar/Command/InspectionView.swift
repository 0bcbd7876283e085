// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import BusbarModel
import BusbarPlugins

/// How `busbar plugin inspect` shows a file.
enum InspectionView {
  static func table(_ plugin: PluginInspection) -> Table {
    var facts: [(String, Table.Cell)] = [
      ("file", .init(plugin.path)), ("size", "\(plugin.size) bytes"), ("sha256", .init(plugin.hash)),
      ("signature", signature(plugin.signature)),
    ]
    if let manifest = plugin.manifest {
      facts += [
        ("id", .init(manifest.id)), ("version", .init(manifest.version)), ("contract", "\(manifest.major).\(manifest.minor)"),
        ("requires", list(manifest.requires)), ("permissions", list(manifest.permissions)),
      ]
      for adapter in manifest.adapters {
        let endpoints = adapter.endpoints.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.joined(separator: ", "))" }
        facts.append(("adapter", .init("\(adapter.id) (\(adapter.title)); \(endpoints.joined(separator: "; "))")))
      }
    }
    if let elf = plugin.facts {
      let more = elf.exportCount > elf.exports.count ? ["and \(elf.exportCount - elf.exports.count) more"] : []
      facts += [
        ("exports", list(elf.exports + more)), ("needs", list(elf.needed)),
        ("search paths", list(elf.searchPaths)),
      ]
    }
    facts.append(("usable", plugin.objection.map { .init("no: \($0)", .bad) } ?? .init("yes", .good)))
    return Table(facts: facts)
  }

  static func json(_ plugin: PluginInspection) -> JSONValue {
    var object: [String: JSONValue] = [
      "file": .string(plugin.path), "size": .integer(Int64(plugin.size)), "sha256": .string(plugin.hash),
      "signature": .string(signature(plugin.signature).text), "manifest": plugin.document ?? .null,
      "usable": .boolean(plugin.objection == nil), "objection": plugin.objection.map { .string($0) } ?? .null,
    ]
    if let elf = plugin.facts {
      object["exports"] = .array(elf.exports.map { .string($0) })
      object["needs"] = .array(elf.needed.map { .string($0) })
      object["search_paths"] = .array(elf.searchPaths.map { .string($0) })
      object["text_relocations"] = .boolean(elf.hasTextRelocations)
      object["executable_stack"] = elf.stackIsExecutable.map { .boolean($0) } ?? .null
      object["manifest_loaded"] = .boolean(elf.manifestIsLoaded)
    }
    return .object(object)
  }

  /// What is known of a signature, for `busbar plugins --json`.
  static func text(_ state: PluginSignature.State) -> String { signature(state).text }

  private static func signature(_ state: PluginSignature.State) -> Table.Cell {
    switch state {
    case .absent: .init("none", .faint)
    case .good(let key): .init("good, by the key \(key)", .good)
    case .bad(let reason): .init(reason, .warning)
    }
  }

  private static func list(_ texts: [String]) -> Table.Cell { texts.isEmpty ? .init("none", .faint) : .init(texts.joined(separator: ", ")) }
}
