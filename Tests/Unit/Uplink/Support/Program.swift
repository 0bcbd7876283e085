// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import Foundation
import Glibc

/// A program that runs beside the test, with its output line by line. Ended by its id, at the latest with this object.
final class Program: Sendable {
  struct Output: Sendable {
    var lines: [String] = []
    var status: Int32?
  }

  let output = Watched(Output())
  let pid: Int32
  private let process: Process

  init(_ path: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    process.terminationHandler = { [output] process in output.update { $0.status = process.terminationStatus } }
    try process.run()
    self.process = process
    pid = process.processIdentifier
    let descriptor = Descriptor(owning: dup(pipe.fileHandleForReading.fileDescriptor))
    WorkThread.start(name: "output") { [output] in
      var rest: [UInt8] = []
      while case .bytes = descriptor.read(into: &rest, upTo: 65_536) {
        var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = Array(lines.removeLast())
        let texts = lines.map { String(decoding: $0, as: UTF8.self) }
        output.update { $0.lines += texts }
      }
    }
  }

  deinit { signal(SIGKILL) }

  /// Ends it and waits until it is gone. SIGTERM would not do: what is started from a thread of Swift's or dispatch's
  /// pool is born with most signals blocked.
  func kill() async throws {
    signal(SIGKILL)
    try await output.until("the end of \(pid)") { $0.status }
  }

  /// Only while it runs: afterwards its id may be another's.
  func signal(_ signal: Int32) {
    if output.value.status == nil { Glibc.kill(pid, signal) }
  }

  /// The first line that contains the text.
  @discardableResult
  func line(containing text: String) async throws -> String {
    let line = try await output.until("a line with '\(text)'") { output -> String? in
      output.lines.first { $0.contains(text) } ?? (output.status == nil ? nil : "")
    }
    guard !line.isEmpty else { throw ProgramEnded(lines: output.value.lines) }
    return line
  }

  /// Runs a program to its end.
  static func run(_ path: String, _ arguments: [String]) async throws {
    let program = try Program(path, arguments)
    let status = try await program.output.until("the end of \(path)") { $0.status }
    guard status == 0 else { throw ProgramEnded(lines: program.output.value.lines) }
  }
}

struct ProgramEnded: Error {
  var lines: [String]
}

/// A directory that goes with its owner.
final class Scratch: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("busbar-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    // mosquitto, started by root, reads its files as another user.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

  @discardableResult
  func write(_ name: String, _ data: Data) throws -> String {
    let file = "\(path)/\(name)"
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }
}
