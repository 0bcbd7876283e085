// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit
internal import Synchronization

/// A trace that is played back as a device.
final class ModbusReplay: Simulator, WireAnswering {
  private let recording: Mutex<Recording>
  private let framing: WireFraming
  private let faults: FaultBox

  init(_ trace: TraceDocument, _ rules: [FaultRule], seed: UInt64) throws(AdapterError) {
    guard let recording = Recording(trace.steps) else {
      throw AdapterError(.config, "the trace holds no Modbus request; expected lines such as \"> 000100000006010300000002\"")
    }
    framing = recording.framing
    self.recording = Mutex(recording)
    do {
      faults = FaultBox(try FaultDeck(rules, seed: seed) { _ in nil })
    } catch {
      throw AdapterError(.config, "faults: \(error); a trace has registers, no points")
    }
  }

  func set(point: String, to value: String) throws(AdapterError) {
    throw AdapterError(.unsupported, "a trace is played back as it is; its points cannot be set")
  }

  func serve(descriptor: Int32, isSerial: Bool, _ call: borrowing Call) throws(AdapterError) {
    if isSerial, framing == .mbap {
      throw AdapterError(.config, "the trace is Modbus TCP and cannot be played on a serial line; listen on tcp://")
    }
    WireServer(descriptor: descriptor, isSerial: isSerial, framing: framing, faults: faults, answering: self).serve(call)
  }

  func answer(_ request: [UInt8]) -> Recording.Answer { recording.withLock { $0.answer(to: request) } }
}
