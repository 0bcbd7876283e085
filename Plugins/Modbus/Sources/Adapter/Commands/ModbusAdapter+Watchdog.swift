// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// A device's own watchdog. It is looked at with each value that is written, and the host renews a value that is held at a
/// third of the watchdog's time: so it is programmed again after the device forgot it, and left alone else.
extension ModbusAdapter {
  private static let fault = "WatchdogFault"

  /// Programs time and fallback where they differ, and reads back. A device that does not take them is led all the same,
  /// by the host's lease alone, and a person is told.
  func arm(_ write: Write, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) {
    guard let watchdog = write.declared.point.watchdog else { return }
    let steps: [WriteRule.Step]
    do {
      steps = try watchdog.programmed()
    } catch {
      return told(write, device, "its time or fallback does not fit into the registers")
    }
    for step in steps where try words(of: step.field, device, call) != step.words {
      let reply = try ask(step.request, device, call)
      if case .exception(let code) = reply, code != ExceptionCode.acknowledge {
        return told(write, device, "\(step.field.address): the device answered \(ExceptionCode.name(code))")
      }
      guard try words(of: step.field, device, call) == step.words else {
        return told(write, device, "\(step.field.address) does not keep what is written")
      }
    }
    if device.faultyWatchdogs.remove(write.name) != nil {
      link.problem(Self.fault, of: device.number, active: !device.faultyWatchdogs.isEmpty, "")
    }
  }

  private func told(_ write: Write, _ device: ModbusDevice, _ why: String) {
    guard device.faultyWatchdogs.insert(write.name).inserted else { return }
    let text = "\(write.name): the device's watchdog cannot be programmed (\(why)); when the host fails, the device may keep the value"
    link.problem(Self.fault, of: device.number, active: true, text)
    link.log(.warning, text)
  }
}
