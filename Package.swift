// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),  // SE-0335
  .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
  .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
  .strictMemorySafety(),  // SE-0458
  .treatAllWarnings(as: .error),  // SE-0480
  .unsafeFlags(["-Xfrontend", "-function-sections"]),  // so that the linker can lay functions in an order
]

/// What polls call lies side by side; how the list is made: Tests/Benchmarks/order. The linker is the toolchain's own.
let inOrder: [LinkerSetting] = [
  .unsafeFlags([
    "-use-ld=lld", "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/packaging/functions.order",
    "-Xlinker", "--no-warn-symbol-ordering",
  ])
]

/// A plugin exports one symbol (contract, section 17).
let oneExport: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/PluginAPI/C/busbar.map"])
]

let package = Package(
  name: "busbar",
  products: [
    .executable(name: "busbar", targets: ["busbar"]),
    .library(name: "BusbarModbus", type: .dynamic, targets: ["BusbarModbus"]),
    .library(name: "BusbarOCPP", type: .dynamic, targets: ["BusbarOCPP"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ],
  targets: [
    // The contract
    .target(name: "PluginAPI", path: "PluginAPI/C", exclude: ["busbar.map"], publicHeadersPath: "include"),
    .target(name: "PluginKit", dependencies: ["PluginAPI"], path: "PluginAPI/Kit", swiftSettings: settings),

    // JSON for plugins written in Swift, without Foundation
    .target(
      name: "PluginJSON", path: "PluginAPI/JSON", swiftSettings: settings,
      linkerSettings: [.linkedLibrary("m")]),  // rounding; nothing here imports Glibc, which would ask for it

    // C libraries of Debian
    .systemLibrary(name: "CLinux", path: "Host/System/CLinux"),
    .target(name: "CSandbox", path: "Host/System/CSandbox", publicHeadersPath: "include"),
    .systemLibrary(name: "CSQLite", path: "Host/Buffer/CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(
      name: "CMosquitto", path: "Host/Uplink/CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
    .systemLibrary(name: "COpenSSL", path: "Host/Plugins/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "COpenSSLX509", path: "Host/Security/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CModbus", path: "Plugins/Modbus/CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),

    // The host, room by room
    .target(name: "BusbarModel", path: "Host/Model", swiftSettings: settings),
    .target(name: "BusbarSystem", dependencies: ["CLinux", "CSandbox"], path: "Host/System/Sources", swiftSettings: settings),
    .target(name: "BusbarSQLite", dependencies: ["CSQLite"], path: "Host/Buffer/SQLite", swiftSettings: settings),
    .target(
      name: "BusbarBuffer", dependencies: ["BusbarModel", "BusbarSystem", "BusbarSQLite", .product(name: "Logging", package: "swift-log")],
      path: "Host/Buffer/Sources", swiftSettings: settings),
    .target(
      name: "BusbarHistory", dependencies: ["BusbarModel", "BusbarSystem", "BusbarSQLite", .product(name: "Logging", package: "swift-log")],
      path: "Host/History", swiftSettings: settings),
    .target(
      name: "BusbarMosquitto", dependencies: ["CMosquitto", "BusbarSystem"], path: "Host/Uplink/Mosquitto", swiftSettings: settings),
    .target(
      name: "BusbarUplink",
      dependencies: ["BusbarModel", "BusbarSystem", "BusbarBuffer", "BusbarMosquitto", .product(name: "Logging", package: "swift-log")],
      path: "Host/Uplink/Sources", swiftSettings: settings),
    .target(
      name: "BusbarControl", dependencies: ["BusbarModel", "BusbarSystem", "BusbarBuffer", .product(name: "Logging", package: "swift-log")],
      path: "Host/Control", swiftSettings: settings),
    .target(name: "BusbarOpenSSL", dependencies: ["COpenSSLX509"], path: "Host/Security/OpenSSL", swiftSettings: settings),
    .target(
      name: "BusbarSecurity", dependencies: ["BusbarModel", "BusbarSystem", "BusbarOpenSSL"], path: "Host/Security/Sources",
      swiftSettings: settings),
    .target(
      name: "BusbarAudit", dependencies: ["BusbarModel", "BusbarSystem", .product(name: "Logging", package: "swift-log")],
      path: "Host/Security/Audit", swiftSettings: settings),
    .target(
      name: "BusbarTransports",
      dependencies: [
        "BusbarModel", "BusbarSystem", "BusbarOpenSSL", "BusbarSecurity", "CLinux", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      path: "Host/Transports", swiftSettings: settings),
    .target(
      name: "BusbarPlugins",
      dependencies: [
        "PluginAPI", "COpenSSL", "CLinux", "BusbarModel", "BusbarSystem", "BusbarTransports", "BusbarAudit",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Host/Plugins/Sources", swiftSettings: settings),
    .target(
      name: "BusbarLinks",
      dependencies: [
        "BusbarModel", "BusbarSystem", "BusbarPlugins", "BusbarControl", "BusbarTransports", "BusbarOpenSSL",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Host/Links", swiftSettings: settings),
    .target(
      name: "BusbarDiscovery",
      dependencies: [
        "BusbarModel", "BusbarSystem", "BusbarBuffer", "BusbarPlugins", .product(name: "Logging", package: "swift-log"),
      ],
      path: "Host/Discovery", swiftSettings: settings),
    .target(
      name: "BusbarManagement",
      dependencies: [
        "BusbarModel", "BusbarSystem", .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"), .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "Host/Management", swiftSettings: settings),
    .target(
      name: "BusbarConfiguration",
      dependencies: ["BusbarModel", "BusbarSystem", .product(name: "Yams", package: "Yams")],
      path: "Host/Busbar/Configuration", swiftSettings: settings),
    .target(
      name: "BusbarConsole",
      dependencies: [
        "BusbarModel", "BusbarSystem", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ],
      path: "Host/Busbar/Console", swiftSettings: settings),
    .target(
      name: "BusbarValidator",
      dependencies: [
        "BusbarModel", "BusbarSystem", "BusbarTransports", "BusbarPlugins", "BusbarConfiguration",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Host/Validator", swiftSettings: settings),
    .executableTarget(
      name: "busbar",
      dependencies: [
        "BusbarModel", "BusbarSystem", "BusbarSQLite", "BusbarBuffer", "BusbarHistory", "BusbarUplink", "BusbarControl",
        "BusbarTransports", "BusbarPlugins", "BusbarSecurity", "BusbarOpenSSL", "BusbarAudit", "BusbarValidator",
        "BusbarLinks", "BusbarDiscovery", "BusbarManagement", "BusbarConfiguration", "BusbarConsole",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      path: "Host/Busbar/Command", swiftSettings: settings, linkerSettings: inOrder),

    // Adapters
    .target(name: "ModbusManifest", path: "Plugins/Modbus/Manifest", publicHeadersPath: "include"),
    .target(
      name: "ModbusCodec", path: "Plugins/Modbus/Sources/Codec", swiftSettings: settings),
    .target(
      name: "BusbarModbus", dependencies: ["PluginKit", "CModbus", "ModbusCodec", "ModbusManifest"],
      path: "Plugins/Modbus/Sources/Adapter", swiftSettings: settings, linkerSettings: oneExport + inOrder),
    .target(name: "OCPPManifest", path: "Plugins/OCPP/Manifest", publicHeadersPath: "include"),
    .target(name: "OCPPCodec", dependencies: ["PluginJSON"], path: "Plugins/OCPP/Sources/Codec", swiftSettings: settings),
    .target(
      name: "BusbarOCPP", dependencies: ["PluginKit", "PluginJSON", "OCPPCodec", "OCPPManifest"],
      path: "Plugins/OCPP/Sources/Adapter", swiftSettings: settings, linkerSettings: oneExport),

    // Tests
    .target(
      name: "FuzzTargets",
      dependencies: [
        "BusbarModel", "BusbarUplink", "BusbarHistory", "BusbarPlugins", "BusbarConfiguration", "ModbusCodec", "OCPPCodec", "PluginJSON",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: settings),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Unit/Fuzz", swiftSettings: settings),
    .testTarget(name: "SystemTests", dependencies: ["BusbarSystem"], path: "Tests/Unit/System", swiftSettings: settings),
    .testTarget(name: "ModelTests", dependencies: ["BusbarModel"], path: "Tests/Unit/Model", swiftSettings: settings),
    .testTarget(
      name: "BufferTests", dependencies: ["BusbarBuffer", "BusbarSQLite", "BusbarModel", "BusbarSystem"], path: "Tests/Unit/Buffer",
      swiftSettings: settings),
    .testTarget(
      name: "HistoryTests",
      dependencies: [
        "BusbarHistory", "BusbarSQLite", "BusbarModel", "BusbarSystem", .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Unit/History", swiftSettings: settings),
    .testTarget(
      name: "UplinkTests",
      dependencies: [
        "BusbarUplink", "BusbarMosquitto", "BusbarBuffer", "BusbarModel", "BusbarSystem",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Unit/Uplink", swiftSettings: settings),
    .testTarget(
      name: "ControlTests", dependencies: ["BusbarControl", "BusbarBuffer", "BusbarModel", "BusbarSystem"],
      path: "Tests/Unit/Control", swiftSettings: settings),
    .testTarget(
      name: "DiscoveryTests", dependencies: ["BusbarDiscovery", "BusbarBuffer", "BusbarPlugins", "BusbarModel", .product(name: "Logging", package: "swift-log")],
      path: "Tests/Unit/Discovery", swiftSettings: settings),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["BusbarConfiguration", "BusbarModel"], path: "Tests/Unit/Configuration",
      exclude: ["Cases"], swiftSettings: settings),
    .testTarget(
      name: "ConsoleTests", dependencies: ["BusbarConsole", "BusbarModel", "BusbarSystem"], path: "Tests/Unit/Console",
      swiftSettings: settings),
    .testTarget(
      name: "ManagementTests",
      dependencies: [
        "BusbarManagement", "BusbarConsole", "BusbarModel", "BusbarSystem", .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "Tests/Unit/Management", swiftSettings: settings),
    .executableTarget(
      name: "ocpp-verdict", dependencies: ["OCPPCodec", "PluginJSON"], path: "Tests/OCPP/Verdict", swiftSettings: settings),
    .executableTarget(
      name: "ocpp-central", dependencies: ["OCPPCodec", "PluginJSON"], path: "Tests/OCPP/Central", swiftSettings: settings),
    .testTarget(
      name: "OCPPTests", dependencies: ["OCPPCodec", "PluginJSON"], path: "Tests/Unit/OCPP", swiftSettings: settings),
    .testTarget(
      name: "OCPPAdapterTests",
      dependencies: ["BusbarPlugins", "BusbarModel", "BusbarSystem", "PluginJSON", .product(name: "Logging", package: "swift-log")],
      path: "Tests/Unit/OCPPAdapter", swiftSettings: settings),
    .testTarget(name: "ModbusTests", dependencies: ["ModbusCodec"], path: "Tests/Unit/Modbus", swiftSettings: settings),
    .testTarget(
      name: "SecurityTests", dependencies: ["BusbarSecurity", "BusbarModel", "BusbarOpenSSL", "BusbarSystem"], path: "Tests/Unit/Security",
      swiftSettings: settings),
    .testTarget(
      name: "TransportsTests", dependencies: ["BusbarTransports", "BusbarSystem", "BusbarSecurity", "BusbarOpenSSL"],
      path: "Tests/Unit/Transports",
      swiftSettings: settings),
    .testTarget(
      name: "PluginsTests",
      dependencies: [
        "MailboxSupport", "BusbarPlugins", "BusbarAudit", "BusbarTransports", "BusbarModel", "BusbarSystem",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Unit/Plugins", exclude: ["Fixtures"], swiftSettings: settings),
    .target(
      name: "MailboxSupport", dependencies: ["BusbarPlugins", "BusbarTransports", "BusbarSystem"], path: "Tests/Unit/Support/Mailbox",
      swiftSettings: settings),
    .testTarget(
      name: "ValidatorTests", dependencies: ["MailboxSupport", "BusbarValidator", "BusbarPlugins", "BusbarTransports", "BusbarSystem"],
      path: "Tests/Unit/Validator", swiftSettings: settings),
    .testTarget(
      name: "LinksTests",
      dependencies: [
        "BusbarLinks", "BusbarPlugins", "BusbarControl", "BusbarTransports", "BusbarModel", "BusbarSystem",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Unit/Links", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

// Tests/Fuzz/run builds this one alone, with libFuzzer in it.
if Context.environment["BUSBAR_FUZZ"] != nil {
  package.targets.append(.executableTarget(name: "busbar-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Driver"))
}
