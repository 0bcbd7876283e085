// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A secret that a person types or a program pipes in.
package enum SecretInput {
  /// The first line of standard input, without its end. On a terminal `prompt` is shown and what is typed is not. Nil where
  /// nothing comes.
  package static func line(prompt: String) -> String? {
    guard isatty(STDIN_FILENO) == 1 else { return readLine() }
    var before = termios()
    guard unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { return readLine() }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
    defer {
      unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
      StandardError.draw("\n")
    }
    StandardError.draw(prompt)
    return readLine()
  }
}
