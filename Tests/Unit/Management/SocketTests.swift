// SPDX-License-Identifier: Apache-2.0

import BusbarManagement
import BusbarModel
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2)))
struct SocketTests {
  private func refusal(_ path: String) async -> String? {
    do {
      try await withServer(FakeHost(), at: path) {}
      return nil
    } catch {
      return (error as? SocketError)?.description ?? "another error: \(error)"
    }
  }

  @Test func socketIsForOwnerAndGroupAndGoneAfterwards() async throws {
    try await withDirectory { directory in
      let path = "\(directory)/run/busbar.sock"
      let modes = try await withServer(FakeHost(), at: path) {
        try await run("/usr/bin/stat", ["-c", "%a %F", path, "\(directory)/run"])
      }
      #expect(modes == "660 socket\n750 directory\n")
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func aSocketThatADeadHostLeftIsReplaced() async throws {
    try await withDirectory { directory in
      let path = "\(directory)/busbar.sock"
      // Bound and closed without being removed, as by a process that is killed.
      _ = try await run(
        "/usr/bin/python3", ["-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])", path])
      #expect(FileManager.default.fileExists(atPath: path))
      let answer = try await withServer(FakeHost(), at: path) { try await curl(path, "/healthz") }
      #expect(answer.status == 200)
    }
  }

  @Test func aSecondHostIsRefusedAndTheFirstKeepsItsSocket() async throws {
    try await withServer { path in
      #expect(await refusal(path)?.contains("another host is running") == true)
      let answer = try await curl(path, "/healthz")
      #expect(answer.status == 200)
    }
  }

  @Test func whatIsNoSocketIsLeftAlone() async throws {
    try await withDirectory { directory in
      let path = "\(directory)/busbar.sock"
      try "precious".write(toFile: path, atomically: true, encoding: .utf8)
      #expect(await refusal(path)?.contains("is no socket") == true)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
      #expect(await refusal("\(directory)/\(String(repeating: "a", count: 100))")?.contains("107") == true)
      #expect(await refusal("\(path)/busbar.sock")?.contains("cannot be made") == true)
    }
  }

  @Test func theSocketOfAnotherHostIsNotRemoved() async throws {
    try await withDirectory { directory in
      let path = "\(directory)/busbar.sock"
      try await withServer(FakeHost(), at: path) {
        try FileManager.default.removeItem(atPath: path)
        try Data().write(to: URL(filePath: path))
      }
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }
}
