// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarLinks
internal import BusbarModel

/// Stands between the arbiter and the links: a device that connects by itself is not told to do so in a way in which no listener lets
/// it in, whoever asks for it.
struct WayInGuard: DeviceWriter {
  let links: LinkManager
  let desk: ListenerDesk

  func describe(_ device: DeviceID) async -> ControlledDevice? { await links.describe(device) }

  func write(_ write: DeviceWrite) async -> DeviceWriteResult {
    if case .action(_, let arguments) = write.verb, let visitor = await links.visitor(write.device),
      let objection = desk.objection(visitor.listener, visitor.identity, present: visitor.profile, arguments)
    {
      return .refused(.invalid, "\(write.device) was not told so: \(objection)")
    }
    return await links.write(write)
  }
}
