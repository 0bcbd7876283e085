// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation

/// What the tests of this folder share.
enum Fixture {
  /// The folder of the cases.
  static let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases").path

  static let environment = HostEnvironment(
    variables: ["BUSBAR_PASSWORD": "hunter2"], machineIDFile: "/nonexistent", hostName: "box")

  static let modbus = AdapterManifest(
    id: "modbus", plugin: "org.busbar.modbus", endpoints: ["device": ["tcp", "tls", "serial"]], ports: ["tcp": 502, "tls": 802],
    deviceSchema: [
      "type": "object", "additionalProperties": false,
      "properties": [
        "unit": ["type": "integer", "minimum": 1, "maximum": 247, "default": 1],
        "timeout": ["type": "string", "pattern": "^[0-9]+(ms|s)$", "default": "1s"],
      ],
    ],
    linkSchema: [
      "type": "object", "additionalProperties": false,
      "properties": [
        "gap": ["type": "integer", "minimum": 0, "default": 0], "idle": ["type": "boolean", "default": false],
      ],
    ],
    templateSchema: [
      "type": "object", "additionalProperties": false, "required": ["points"],
      "properties": [
        "word_order": ["enum": ["big", "little"], "default": "big"],
        "points": [
          "type": "object",
          "additionalProperties": [
            "type": "object", "required": ["register"],
            "properties": [
              "register": ["type": "integer", "minimum": 0, "maximum": 65535],
              "type": ["enum": ["int16", "uint16", "int32", "uint32", "uint64", "float32"], "default": "uint16"],
            ],
          ],
        ],
      ],
    ])

  static let manifests = [
    modbus, AdapterManifest(id: "line-meter", plugin: "org.example.line", endpoints: ["device": ["tcp"]]),
  ]

  /// Loads a text as `busbar.yaml` in a folder of its own.
  static func load(
    _ text: String, manifests: [AdapterManifest] = manifests, environment: HostEnvironment = environment,
    in folder: Folder = Folder()
  ) -> (Configuration?, [Diagnostic]) {
    let file = folder.write("busbar.yaml", text)
    return ConfigurationLoader.load(file: file, manifests: manifests, environment: environment)
  }
}

/// A directory that is gone when the test is over.
final class Folder: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appending(path: "busbar-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ text: String, mode: Int = 0o640) -> String {
    write(name, Data(text.utf8), mode: mode)
  }

  @discardableResult
  func write(_ name: String, _ data: Data, mode: Int = 0o640) -> String {
    let file = URL(filePath: path).appending(path: name)
    try? FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    precondition(FileManager.default.createFile(atPath: file.path, contents: data), "cannot write \(file.path)")
    // Not as attributes of createFile: there the umask takes bits away.
    try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    return file.path
  }
}
