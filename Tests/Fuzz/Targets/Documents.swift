// SPDX-License-Identifier: Apache-2.0

internal import BusbarConfiguration
internal import BusbarHistory
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarUplink

private let device: DeviceID = {
  guard let id = DeviceID(rawValue: "met_grid") else { preconditionFailure("a device id") }
  return id
}()

func fuzzCommand(_ bytes: [UInt8]) {
  let now: Int64 = 1_795_378_158_674
  for role in Role.allCases {
    let parser = CommandParser(role: role)
    if case .request(let request) = parser.command(bytes, device: device, now: now) {
      precondition((1...64).contains(request.id.count), "an id out of bounds")
      precondition(request.role == role && request.priority.claimable, "more rights than the publisher has")
    }
    _ = parser.command(bytes, device: device, expiry: 5, now: now)
    _ = parser.gatewayCommand(bytes, now: now)
  }
}

/// What is refused says why; what is taken is whole.
func fuzzConfiguration(_ bytes: [UInt8]) {
  let environment = HostEnvironment(variables: [:], machineIDFile: "/nonexistent", hostName: "box")
  let (configuration, found) = ConfigurationLoader.load(
    file: "busbar.yaml", environment: environment, sources: SourceFiles(known: ["busbar.yaml": bytes]))
  precondition(configuration != nil || found.contains { $0.severity == .error }, "refused without a reason")
}

func fuzzTemplate(_ bytes: [UInt8]) {
  let (template, found) = TemplateLibrary.check("fuzz.yaml", sources: SourceFiles(known: ["fuzz.yaml": bytes]))
  precondition(template != nil || found.contains { $0.severity == .error }, "refused without a reason")
}

/// What is read is finite and in order, and is written so that it is read again.
func fuzzHistory(_ bytes: [UInt8]) {
  guard let block = BlockCodec.decode(bytes, start: 0) else { return }
  for series in block.series.values {
    var before = Int64.min
    for minute in series.minutes {
      precondition(minute.number > before && minute.summary.samples > 0, "minutes out of order")
      before = minute.number
      guard case .number(let low, let mean, let high) = minute.summary.content else { continue }
      precondition(low.isFinite && high.isFinite && low <= mean && mean <= high, "a mean beside its limits")
    }
  }
  let again = BlockCodec.decode(BlockCodec.encode(block, start: 0), start: 0)
  precondition(again?.series.mapValues(\.minutes.count) == block.series.mapValues(\.minutes.count), "written and not read again")
}

func fuzzELF(_ bytes: [UInt8]) {
  guard let file = try? ELFFile(bytes), let text = file.manifest else {
    // Nearly no mutation is a whole library, so the text is tried by itself as well.
    _ = try? PluginManifest(bytes)
    return
  }
  _ = try? PluginManifest(text)
}
