// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConsole

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "List the devices of a running host with state and main value.")

  @OptionGroup var options: ClientOptions

  func run() async throws {
    let devices = try await options.client.get("/api/v1/devices")
    try options.output.show(ListView.devices(devices, now: options.now), json: devices)
  }
}

struct PluginsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "List the plugin files that a running host found, loaded and refused.")

  @OptionGroup var options: ClientOptions

  func run() async throws {
    let plugins = try await options.client.get("/api/v1/plugins")
    try options.output.show(ListView.plugins(plugins), json: plugins)
  }
}

struct LinksCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "links", abstract: "List the connections and buses of a running host.")

  @OptionGroup var options: ClientOptions

  func run() async throws {
    let links = try await options.client.get("/api/v1/links")
    try options.output.show(ListView.links(links), json: links)
  }
}
