// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A broker in Python that knows no more of MQTT than a test needs, for what mosquitto cannot be made to do. It prints
/// what it receives.
final class FakeBroker: Sendable {
  enum Behaviour: String {
    /// Speaks 3.1.1; answers version 5 with CONNACK code 1 in the form of 3.1.1.
    case refuseOld
    /// Speaks 3.1.1; answers version 5 with reason code 0x84 in the form of MQTT 5.
    case refuseNew
    /// Speaks 3.1.1; hangs up on version 5.
    case hangUp
    /// As `refuseOld`, and sends a retained command and then one that is not, to whoever subscribes.
    case retained
    /// As `refuseOld`, and refuses every subscription.
    case noSubscriptions
    /// Takes the connection and never says anything.
    case silent
    /// Lets no connection come about: its queue of new connections is full.
    case full
  }

  let port: Int
  private let program: Program

  static func start(_ behaviour: Behaviour) async throws -> FakeBroker {
    let program = try Program("/usr/bin/env", ["python3", "-u", "-c", script, behaviour.rawValue])
    let line = try await program.line(containing: "listening ")
    guard let port = line.split(separator: " ").last.flatMap({ Int($0) }) else { throw ProgramEnded(lines: [line]) }
    return FakeBroker(port: port, program: program)
  }

  private init(port: Int, program: Program) {
    self.port = port
    self.program = program
  }

  @discardableResult
  func printed(_ text: String) async throws -> String { try await program.line(containing: text) }

  var lines: [String] { program.output.value.lines }

  private static let script = #"""
    import socket, sys, threading
    mode = sys.argv[1]

    def read(connection, count):
        data = b""
        while len(data) < count:
            part = connection.recv(count - len(data))
            if not part: raise EOFError
            data += part
        return data

    def packet(connection):
        kind = read(connection, 1)[0]
        length, shift = 0, 0
        while True:
            byte = read(connection, 1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if not byte & 128: return kind, read(connection, length)

    def message(topic, payload, retain):
        body = len(topic).to_bytes(2, "big") + topic + payload
        return bytes([0x30 | retain, len(body)]) + body

    def serve(connection):
        try:
            while True:
                kind, body = packet(connection)
                if kind >> 4 == 1:
                    version = body[6]
                    print("CONNECT", version)
                    if mode == "silent": continue
                    if version == 5:
                        if mode == "refuseNew": connection.sendall(bytes([0x20, 3, 0, 0x84, 0]))
                        elif mode != "hangUp": connection.sendall(bytes([0x20, 2, 0, 1]))
                        connection.close()
                        return
                    connection.sendall(bytes([0x20, 2, 0, 0]))
                elif kind >> 4 == 8:
                    size = int.from_bytes(body[2:4], "big")
                    print("SUBSCRIBE", body[4:4 + size].decode())
                    code = 0x80 if mode == "noSubscriptions" else 1
                    connection.sendall(bytes([0x90, 3]) + body[:2] + bytes([code]))
                    if mode == "retained" and body[4:4 + size].startswith(b"devices"):
                        topic = b"devices/sol_test_1/commands/request"
                        for retain, name in ((1, b"old"), (0, b"new")):
                            text = b'{"id":"' + name + b'","ts":1,"point":"p","value":1}'
                            connection.sendall(message(topic, text, retain))
                elif kind >> 4 == 3:
                    size = int.from_bytes(body[:2], "big")
                    identifier = body[2 + size:4 + size]
                    print("PUBLISH", "retained" if kind & 1 else "live", body[2:2 + size].decode(), body[4 + size:].decode())
                    connection.sendall(bytes([0x40, 2]) + identifier)
                elif kind >> 4 == 12: connection.sendall(bytes([0xD0, 0]))
                elif kind >> 4 == 14: print("DISCONNECT")
        except (EOFError, OSError):
            print("closed")

    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0 if mode == "full" else 16)
    port = server.getsockname()[1]
    if mode == "full":
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        print("listening", port)
        threading.Event().wait()
    print("listening", port)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
    """#
}
