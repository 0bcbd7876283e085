// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// The C functions behind the tables: they find the Swift object, call it, and turn errors into a status and a sentence.
enum Slots {
  static func adapter(id: bb_str_t) -> bb_adapter_t {
    var table = unsafe bb_adapter_t()
    unsafe table.size = UInt32(MemoryLayout<bb_adapter_t>.size)
    unsafe table.id = id
    unsafe table.open = { host, call, config, state in
      guard let plugin = ExportedPlugin.current else { return failure(.bug) }
      let call = unsafe Call(plugin.host, call)
      let link = unsafe Link(id: config.pointee.link, host: plugin.host)
      let config = unsafe String(config.pointee.config)
      return report(call) { call throws(AdapterError) in
        unsafe state.pointee = retained(try plugin.factory.open(link, config: config, call))
      }
    }
    unsafe table.close = { _, _, state in unsafe release(state) }
    unsafe table.device_add = { _, call, state, config, deviceState in
      guard let plugin = ExportedPlugin.current, let link = unsafe object(state, LinkBox.self) else { return failure(.bug) }
      let call = unsafe Call(plugin.host, call)
      return report(call) { call throws(AdapterError) in
        unsafe deviceState.pointee = retained(try link.addDevice(config.pointee, call))
      }
    }
    unsafe table.device_remove = { _, _, state, _, deviceState in
      if let link = unsafe object(state, LinkBox.self), let device = unsafe object(deviceState, AnyObject.self) {
        link.removeDevice(device)
      }
      unsafe release(deviceState)
    }
    unsafe table.poll = { _, call, state, _, deviceState, due, count in
      guard let plugin = ExportedPlugin.current, let link = unsafe object(state, LinkBox.self),
        let device = unsafe object(deviceState, AnyObject.self)
      else { return failure(.bug) }
      let points = unsafe Array(UnsafeBufferPointer(start: due, count: Int(count)))
      let call = unsafe Call(plugin.host, call)
      return report(call) { call throws(AdapterError) in try link.poll(device, due: points, call) }
    }
    unsafe table.get_interface = { id in
      switch unsafe String(id) {
      case BB_INTERFACE_COMMANDS: unsafe UnsafeRawPointer(Slots.commands)
      case BB_INTERFACE_SIMULATE: unsafe UnsafeRawPointer(Slots.simulate)
      case BB_INTERFACE_DISCOVERY: unsafe UnsafeRawPointer(Slots.discovery)
      case let id where ExportedPlugin.current?.factory.isEventDriven == true: unsafe EventSlots.table(id)
      default: nil
      }
    }
    return unsafe table
  }

  nonisolated(unsafe) fileprivate static let commands: UnsafePointer<bb_commands_interface_t> = {
    var table = bb_commands_interface_t()
    table.size = UInt32(MemoryLayout<bb_commands_interface_t>.size)
    unsafe table.command = { _, call, state, _, deviceState, command, outcome in
      guard let plugin = ExportedPlugin.current, let link = unsafe object(state, LinkBox.self),
        let device = unsafe object(deviceState, AnyObject.self)
      else { return failure(.bug) }
      guard let request = unsafe Command(command.pointee) else { return failure(.unsupported) }
      let call = unsafe Call(plugin.host, call)
      var status = bb_status_t(BB_OK)
      let failure = report(call) { call throws(AdapterError) in
        status = unsafe try link.command(request, on: device, call).fill(outcome, call)
      }
      return failure < 0 ? failure : status
    }
    return unsafe immortal(table)
  }()

  nonisolated(unsafe) fileprivate static let discovery: UnsafePointer<bb_discovery_interface_t> = {
    var table = bb_discovery_interface_t()
    table.size = UInt32(MemoryLayout<bb_discovery_interface_t>.size)
    unsafe table.scan = { _, call, state, scan in
      guard let plugin = ExportedPlugin.current, let link = unsafe object(state, LinkBox.self) else { return failure(.bug) }
      let call = unsafe Call(plugin.host, call)
      let (documents, step) = unsafe (String(scan.pointee.documents), Int(scan.pointee.step))
      let everywhere = unsafe scan.pointee.flags & UInt32(BB_SCAN_EVERYWHERE) != 0
      return report(call) { call throws(AdapterError) in
        let found = try link.scan(documents, step: step, everywhere: everywhere, call)
        unsafe scan.pointee.steps = UInt32(clamping: found.steps)
        for candidate in found.candidates { try plugin.host.propose(candidate, call) }
      }
    }
    return unsafe immortal(table)
  }()

  nonisolated(unsafe) fileprivate static let simulate: UnsafePointer<bb_simulate_interface_t> = {
    var table = bb_simulate_interface_t()
    table.size = UInt32(MemoryLayout<bb_simulate_interface_t>.size)
    unsafe table.start = { _, call, documents, state in
      guard let plugin = ExportedPlugin.current else { return failure(.bug) }
      let call = unsafe Call(plugin.host, call)
      let documents = unsafe String(documents)
      return report(call) { call throws(AdapterError) in
        guard let simulator = try plugin.factory.simulator(documents: documents) else {
          throw AdapterError(.unsupported, "this adapter simulates nothing")
        }
        unsafe state.pointee = retained(SimulatorBox(simulator))
      }
    }
    unsafe table.serve = { _, call, state, descriptor, kind in
      guard let plugin = ExportedPlugin.current, let box = unsafe object(state, SimulatorBox.self) else {
        return failure(.bug)
      }
      let call = unsafe Call(plugin.host, call)
      return report(call) { call throws(AdapterError) in
        try box.simulator.serve(descriptor: descriptor, isSerial: kind == UInt32(BB_STREAM_SERIAL), call)
      }
    }
    unsafe table.set = { _, call, state, point, value in
      guard let plugin = ExportedPlugin.current, let box = unsafe object(state, SimulatorBox.self) else {
        return failure(.bug)
      }
      let call = unsafe Call(plugin.host, call)
      let (point, value) = unsafe (String(point), String(value))
      return report(call) { call throws(AdapterError) in try box.simulator.set(point: point, to: value) }
    }
    unsafe table.finish = { _, _, state in unsafe release(state) }
    return unsafe immortal(table)
  }()

  static func immortal<Table>(_ table: Table) -> UnsafePointer<Table> {
    let place = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    unsafe place.initialize(to: table)
    return unsafe UnsafePointer(place)
  }
}

func report(
  _ call: borrowing Call, _ body: (borrowing Call) throws(AdapterError) -> Void
) -> bb_status_t {
  do {
    try body(call)
    return bb_status_t(BB_OK)
  } catch {
    call.explain(error.message)
    return error.status
  }
}

func failure(_ failure: AdapterError.Class) -> bb_status_t { AdapterError(failure, "").status }

private func retained(_ object: AnyObject) -> UnsafeMutableRawPointer {
  unsafe Unmanaged.passRetained(object).toOpaque()
}

func object<T>(_ state: UnsafeMutableRawPointer?, _ type: T.Type) -> T? {
  guard let state = unsafe state else { return nil }
  return unsafe Unmanaged<AnyObject>.fromOpaque(state).takeUnretainedValue() as? T
}

private func release(_ state: UnsafeMutableRawPointer?) {
  if let state = unsafe state { unsafe Unmanaged<AnyObject>.fromOpaque(state).release() }
}

private final class SimulatorBox {
  let simulator: any Simulator
  init(_ simulator: any Simulator) { self.simulator = simulator }
}
