// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import Foundation

/// What a shell offers for an argument, asked of a running host. Without one, or where it does not answer at once, there
/// is nothing to offer, and nothing is said.
enum Completions {
  /// A person waits for the Tab key.
  private static let patience = Duration.milliseconds(150)

  static let devices = ask("/api/v1/devices") { $0["id"]?.string }
  static let links = ask("/api/v1/links") { $0["id"]?.string }
  static let plugins = ask("/api/v1/plugins") { $0["id"]?.string }

  static let candidates = CompletionKind.custom { words, _, _ in unique(await candidates(client(words))) }

  /// What `forget` takes.
  static let devicesAndCandidates = CompletionKind.custom { words, _, _ in
    let client = client(words)
    return unique(await list(client, "/api/v1/devices").compactMap { $0["id"]?.string } + candidates(client))
  }

  /// What `trace` takes.
  static let linksAndDevices = CompletionKind.custom { words, _, _ in
    let client = client(words)
    let all = await list(client, "/api/v1/links") + list(client, "/api/v1/devices")
    return unique(all.compactMap { $0["id"]?.string })
  }

  /// Points of the device that is named before.
  static let points = CompletionKind.custom { words, _, _ in
    await points(words).compactMap { $0["name"]?.string }
  }

  /// What `command` takes: `POINT=` of points that can be written, and actions.
  static let settings = CompletionKind.custom { words, _, _ in
    await points(words).compactMap { point in
      guard point["writable"]?.boolean == true, let name = point["name"]?.string else { return nil }
      return "\(name)="
    }
  }

  /// By the names of the installed files, which takes no host.
  static let templates = CompletionKind.custom { words, _, _ in
    let directories = value(of: "--templates", in: words).map { [$0] } ?? Configuration.defaultTemplateDirectories
    let names = directories.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
    return unique(names.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) })
  }

  private static func ask(_ path: String, _ name: @escaping @Sendable (JSONValue) -> String?) -> CompletionKind {
    .custom { words, _, _ in unique(await list(client(words), path).compactMap(name)) }
  }

  private static func points(_ words: [String]) async -> [JSONValue] {
    let client = client(words)
    let known = Set(await list(client, "/api/v1/devices").compactMap { $0["id"]?.string })
    guard let device = words.first(where: { known.contains($0) }) else { return [] }
    return (try? await client.get("/api/v1/devices/\(device)", timeout: patience))?["points"]?.array ?? []
  }

  private static func list(_ client: APIClient, _ path: String) async -> [JSONValue] {
    (try? await client.get(path, timeout: patience))?.array ?? []
  }

  private static func candidates(_ client: APIClient) async -> [String] {
    let answer = try? await client.get("/api/v1/discovery", timeout: patience)
    return (answer?["candidates"]?.array ?? []).compactMap { $0["candidate"]?.string }
  }

  private static func client(_ words: [String]) -> APIClient {
    APIClient(socketPath: value(of: "--socket", in: words) ?? SocketPath().forClient())
  }

  private static func value(of option: String, in words: [String]) -> String? {
    guard let place = words.lastIndex(of: option), place + 1 < words.count else { return nil }
    return words[place + 1]
  }

  /// Names that a shell and a terminal can take as they are.
  private static func unique(_ names: [String]) -> [String] {
    Set(names.filter { $0 == printable($0) && !$0.contains(" ") }).sorted()
  }
}

struct CompletionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "Write the completion script of a shell.",
    discussion: """
      For bash: busbar completion bash > ~/.local/share/bash-completion/completions/busbar. For zsh: a file _busbar in a \
      directory of $fpath. For fish: ~/.config/fish/completions/busbar.fish. Packages bring them along. Devices and points \
      are completed where a host runs.
      """)

  static let shells = CompletionShell.allCases.map(\.rawValue)

  @Argument(help: "bash, zsh or fish.", completion: .list(shells))
  var shell: String

  func validate() throws {
    guard CompletionShell(rawValue: shell) != nil else {
      throw ValidationError("'\(printable(shell))' is none of \(Self.shells.joined(separator: ", "))")
    }
  }

  func run() async throws {
    guard let shell = CompletionShell(rawValue: shell) else { return }
    try Output(json: false).lines([Busbar.completionScript(for: shell)])
  }
}
