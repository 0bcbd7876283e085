// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc
internal import PluginAPI
internal import Synchronization

extension ValidationLayer {
  /// The plugin's own tables. Set once, before the first call.
  nonisolated(unsafe) private static var adapter: UnsafePointer<bb_adapter_t>?
  nonisolated(unsafe) private static var commands: UnsafePointer<bb_commands_interface_t>?
  nonisolated(unsafe) private static var wrapped: UnsafePointer<bb_adapter_t>?

  static var lending: Lent { Lent(state.withLock { $0.settings.lending }) }

  /// A table whose slots call the plugin's, watched; the plugin's own where no layer is installed.
  static func wrap(_ table: UnsafePointer<bb_adapter_t>) -> UnsafePointer<bb_adapter_t> {
    let id = unsafe copied(table.pointee.id, limit: 128)
    guard state.withLock({ $0.installed && $0.settings.adapter == id }) else { return unsafe table }
    if let wrapped = unsafe wrapped { return unsafe adapter == table ? wrapped : table }
    unsafe adapter = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.size = UInt32(MemoryLayout<bb_adapter_t>.size)
    if unsafe copy.open != nil {
      unsafe copy.open = { host, call, config, state in
        guard let open = unsafe ValidationLayer.adapter?.pointee.open else { return failed(BB_CLASS_BUG) }
        let lent = ValidationLayer.lending
        return unsafe ValidationLayer.run("open", call, lent) { call in
          var record = unsafe config.pointee
          unsafe record.config = lent.copy(record.config)
          return unsafe open(host, call, lent.copy(record), state)
        }
      }
    }
    if unsafe copy.close != nil {
      unsafe copy.close = { host, call, state in
        _ = unsafe ValidationLayer.run("close", call, ValidationLayer.lending) { call in
          unsafe ValidationLayer.adapter?.pointee.close?(host, call, state)
          return bb_status_t(BB_OK)
        }
      }
    }
    if unsafe copy.device_add != nil {
      unsafe copy.device_add = { host, call, state, config, deviceState in
        guard let add = unsafe ValidationLayer.adapter?.pointee.device_add else { return failed(BB_CLASS_BUG) }
        let lent = ValidationLayer.lending
        return unsafe ValidationLayer.run("device_add", call, lent) { call in
          var record = unsafe config.pointee
          unsafe record.name = lent.copy(record.name)
          unsafe record.device_config = lent.copy(record.device_config)
          unsafe record.template_body = lent.copy(record.template_body)
          return unsafe add(host, call, state, lent.copy(record), deviceState)
        }
      }
    }
    if unsafe copy.device_remove != nil {
      unsafe copy.device_remove = { host, call, state, device, deviceState in
        let body: (UnsafePointer<bb_call_t>) -> bb_status_t = { call in
          unsafe ValidationLayer.adapter?.pointee.device_remove?(host, call, state, device, deviceState)
          return bb_status_t(BB_OK)
        }
        // Inside device_add or close, where the call is theirs.
        if ValidationLayer.state.withLock({ $0.frames[ValidationLayer.thread] }) != nil {
          _ = unsafe body(call)
        } else {
          _ = unsafe ValidationLayer.run("device_remove", call, ValidationLayer.lending, body)
        }
      }
    }
    if unsafe copy.poll != nil {
      unsafe copy.poll = { host, call, state, device, deviceState, due, count in
        guard let poll = unsafe ValidationLayer.adapter?.pointee.poll else { return failed(BB_CLASS_BUG) }
        let lent = ValidationLayer.lending
        let points = unsafe due.map { unsafe Array(UnsafeBufferPointer(start: $0, count: Int(count))) } ?? []
        return unsafe ValidationLayer.run("poll", call, due: points, lent) { call in
          unsafe poll(host, call, state, device, deviceState, lent.copy(due, count), count)
        }
      }
    }
    if unsafe copy.get_interface != nil {
      unsafe copy.get_interface = { id in
        guard let found = unsafe ValidationLayer.adapter?.pointee.get_interface?(id) else { return nil }
        return unsafe ValidationLayer.wrap(interface: copied(id, limit: 128), found)
      }
    }
    let place = UnsafeMutablePointer<bb_adapter_t>.allocate(capacity: 1)
    unsafe place.initialize(to: copy)
    unsafe wrapped = unsafe UnsafePointer(place)
    return unsafe UnsafePointer(place)
  }

  static func wrapCommands(_ found: UnsafeRawPointer) -> UnsafeRawPointer {
    let table = unsafe found.assumingMemoryBound(to: bb_commands_interface_t.self)
    unsafe commands = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.command = { host, call, state, device, deviceState, command, outcome in
      guard let deliver = unsafe ValidationLayer.commands?.pointee.command else { return failed(BB_CLASS_BUG) }
      let lent = ValidationLayer.lending
      return unsafe ValidationLayer.run("command", call, lent) { call in
        var record = unsafe command.pointee
        unsafe record.name = lent.copy(record.name)
        unsafe record.arguments = lent.copy(record.arguments)
        let place = unsafe lent.mutable(outcome.pointee)
        let status = unsafe deliver(host, call, state, device, deviceState, lent.copy(record), place)
        unsafe outcome.pointee = unsafe place.pointee
        return status
      }
    }
    let place = UnsafeMutablePointer<bb_commands_interface_t>.allocate(capacity: 1)
    unsafe place.initialize(to: copy)
    return UnsafeRawPointer(place)
  }
}
