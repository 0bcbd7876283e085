// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarLinks
import BusbarManagement
import BusbarSystem
import Foundation
import Logging

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "Run the host, in the foreground.")

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yaml"]))
  var config = Setup.defaultFile

  @Option(
    help: ArgumentHelp("Where to listen for commands. Default: in the runtime directory.", valueName: "path"),
    completion: .file())
  var socket: String?

  @Option(
    help: ArgumentHelp(
      "Least severity that is logged: debug, info, notice, warning or error. Default: the configuration's log.level.",
      valueName: "level"),
    completion: .list(Configuration.LogLevel.allCases.map(\.rawValue)))
  var logLevel: String?

  @Option(
    help: ArgumentHelp("How records are logged: text or json, a line each.", valueName: "format"),
    completion: .list(LogRecord.Form.allCases.map(\.rawValue)))
  var logFormat = LogRecord.Form.text.rawValue

  func validate() throws {
    if let logLevel, Configuration.LogLevel(rawValue: logLevel) == nil {
      throw ValidationError("--log-level \(printable(logLevel)): expected debug, info, notice, warning or error")
    }
    guard LogRecord.Form(rawValue: logFormat) != nil else {
      throw ValidationError("--log-format \(printable(logFormat)): expected text or json")
    }
  }

  func run() async throws {
    ManagementServer.useOneThread()
    let environment = ProcessInfo.processInfo.environment
    LogLevel.option = logLevel.flatMap(Configuration.LogLevel.init(rawValue:)).map { Logger.Level($0) }
    let journal = OwnProcess.logsToJournal(environment["JOURNAL_STREAM"])
    let form = LogRecord.Form(rawValue: logFormat) ?? .text
    LoggingSystem.bootstrap { LogLines(label: $0, form: form, journal: journal) }
    OwnProcess.raiseDescriptorLimit()
    OwnProcess.hide()
    let logger = Logger(label: "busbar")
    let setup = try await Setup.load(file: config, logger: logger)
    LogLevel.configured = Logger.Level(setup.configuration.log.level)
    for diagnostic in setup.diagnostics { logger.warning("\(diagnostic)") }
    let path = socket ?? SocketPath().forHost(state: setup.configuration.host.state)
    let services = ServiceManager(environment: environment, process: ProcessInfo.processInfo.processIdentifier)
    let host = try await HostAssembly(setup: setup, file: config, socketPath: path, services: services, logger: logger)
    try await host.run()
  }
}

struct CheckConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config", abstract: "Check a configuration and the templates it uses; every mistake is shown.")

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yaml"]))
  var config = Setup.defaultFile

  func run() async throws {
    // What the plugins' files are like is the host's business; here they only lend their schemas.
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    let setup = try await Setup.load(file: config, store: try TemporaryStore.make(), logger: Logger(label: "busbar"))
    for diagnostic in setup.diagnostics { StandardError.write(diagnostic.description) }
    let (plans, problems) = PlanMaker.links(setup.configuration)
    let all = CredentialCheck.problems(setup.configuration) + problems.map { "\(config): \($0)" }
    if !all.isEmpty { throw CommandFailure(diagnostics: all) }
    let used = Set(setup.configuration.devices.compactMap(\.template))
    let broken = setup.diagnostics.filter { found in
      found.severity == .error && used.contains { found.file.hasSuffix("/\($0).yaml") }
    }
    if !broken.isEmpty { throw ExitCode(2) }
    let devices = plans.map(\.devices.count).reduce(0, +)
    try Output(json: false).lines(["\(config): good; \(devices) devices on \(plans.count) links"])
  }
}
