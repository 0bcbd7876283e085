// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The contract and its Swift layer, as a package to depend on:
//   .package(path: "/usr/share/busbar/PluginAPI"), and .product(name: "PluginKit", package: "PluginAPI")

import PackageDescription

let package = Package(
  name: "PluginAPI",
  products: [
    .library(name: "PluginAPI", targets: ["PluginAPI"]),
    .library(name: "PluginKit", targets: ["PluginKit"]),
  ],
  targets: [
    .target(name: "PluginAPI", path: "C", exclude: ["busbar.map"], publicHeadersPath: "include"),
    .target(
      name: "PluginKit", dependencies: ["PluginAPI"], path: "Kit",
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"), .strictMemorySafety(),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
