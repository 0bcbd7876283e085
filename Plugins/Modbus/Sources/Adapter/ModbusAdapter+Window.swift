// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// Values that a device shows on request.
extension ModbusAdapter {
  enum Opened {
    case words([UInt16])
    case refused(UInt8)
    /// The device did not become ready in time.
    case notReady
  }

  /// Asks for a window, waits until it is ready, and reads it.
  func open(_ window: Window, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Opened {
    if case .exception(let code) = try ask(window.request, device, call), code != ExceptionCode.acknowledge {
      return .refused(code)
    }
    let end = BootClock.now + Int64(window.within) * 1_000_000
    while true {
      switch try ask(.read(window.ready, count: 1), device, call) {
      case .values([window.readyValue]): return try content(of: window, device, call)
      case .exception(let code) where code != ExceptionCode.busy && code != ExceptionCode.acknowledge: return .refused(code)
      case .values, .exception, .written, .identification: break
      }
      guard BootClock.now + Int64(window.every) * 1_000_000 < min(end, call.deadline) else { return .notReady }
      do {
        try pause(milliseconds: window.every, call)
      } catch where error.isCancelled {
        throw .cancelled
      } catch {
        throw .lost(error)
      }
    }
  }

  private func content(of window: Window, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Opened {
    var words: [UInt16] = []
    for _ in 0..<window.times {
      switch try ask(.read(window.block.address, count: window.block.count), device, call) {
      case .values(let more): words += more
      case .exception(let code): return .refused(code)
      case .written, .identification: return .notReady
      }
    }
    return .words(words)
  }
}
