// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import Testing

struct SocketPathTests {
  private let system = "/run/busbar/busbar.sock"

  private func rule(_ environment: [String: String], root: Bool = false, existing: Set<String> = []) -> SocketPath {
    SocketPath(environment: environment, isRoot: root) { existing.contains($0) }
  }

  @Test func hostTakesTheFirstDirectoryThatIsItsOwn() {
    let user = ["XDG_RUNTIME_DIR": "/run/user/7"]
    #expect(rule(["RUNTIME_DIRECTORY": "/run/bb"], root: true).forHost(state: "/s") == "/run/bb/busbar.sock")
    #expect(rule(["RUNTIME_DIRECTORY": "/run/a:/run/b"]).forHost(state: "/s") == "/run/a/busbar.sock")
    #expect(rule(user, root: true).forHost(state: "/s") == system)
    #expect(rule(user).forHost(state: "/s") == "/run/user/7/busbar/busbar.sock")
    #expect(rule(["XDG_RUNTIME_DIR": "", "RUNTIME_DIRECTORY": ""]).forHost(state: "/s") == "/s/busbar.sock")
  }

  @Test func commandLooksWhereAHostListens() {
    let user = ["XDG_RUNTIME_DIR": "/run/user/7"]
    #expect(rule(["BUSBAR_SOCKET": "/x", "RUNTIME_DIRECTORY": "/run/bb"]).forClient() == "/x")
    #expect(rule(["RUNTIME_DIRECTORY": "/run/bb"]).forClient() == "/run/bb/busbar.sock")
    #expect(rule(user, root: true).forClient() == system)
    #expect(rule(user, existing: [system]).forClient() == system)
    #expect(rule(user).forClient() == "/run/user/7/busbar/busbar.sock")
    #expect(rule([:]).forClient() == system)
  }
}
