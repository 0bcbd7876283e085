// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole
import Glibc

/// A command was refused or failed; the sentence goes to standard error.
struct CommandFailure: Error {
  var text: String
  var exitCode: Int32 = 1
  /// Mistakes in a file, a line each: they begin with the file's name, as editors want it.
  var diagnostics: [String] = []

  init(_ text: String, exitCode: Int32 = 1) {
    self.text = text
    self.exitCode = exitCode
  }

  init(diagnostics: [String]) {
    text = ""
    exitCode = 2
    self.diagnostics = diagnostics
  }
}

extension AsyncParsableCommand {
  /// Parses the arguments, runs the command and ends the process with the exit codes of interfaces 2: 0 done, 1 refused or
  /// failed, 2 wrong usage, 3 no running host.
  static func runToExit() async -> Never {
    do {
      var command = try await asyncParseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      Glibc.exit(0)
    } catch is Output.ReaderGone {
      Glibc.exit(0)
    } catch let failure as CommandFailure where !failure.diagnostics.isEmpty {
      for diagnostic in failure.diagnostics { StandardError.write(printable(diagnostic)) }
      Glibc.exit(failure.exitCode)
    } catch let failure as CommandFailure {
      end(failure.text, failure.exitCode)
    } catch let error as APIError {
      end(error.description, error.exitCode)
    } catch {
      // The parser's own code for wrong usage is EX_USAGE, 64.
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      StandardError.write(fullMessage(for: error))
      Glibc.exit(2)
    }
  }

  private static func end(_ text: String, _ code: Int32) -> Never {
    StandardError.write("busbar: \(printable(text))")
    Glibc.exit(code)
  }
}
