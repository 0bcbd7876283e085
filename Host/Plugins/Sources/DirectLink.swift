// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
package import BusbarSystem
package import BusbarTransports
package import Logging
internal import PluginAPI
internal import Synchronization

/// What a link needs from the host beside its plugin.
package struct LinkResources: Sendable {
  package var streams: any LinkStreams
  /// The link's settings, a JSON object.
  package var config: String
  package var events: any AdapterEvents
  package var pool: any WorkPool
  package var store: any PluginStore
  package var services: any LinkServices = NoServices()
  package var logger: Logger
  /// Where the plugin is in a child, the way to its host.
  var relay: (any SampleRelay)?

  /// `endpoints`: the name of each, "device" for what a person configures, to where it leads.
  package init(
    endpoints: [String: StreamEndpoint], config: String, events: any AdapterEvents, pool: any WorkPool,
    store: any PluginStore, logger: Logger
  ) {
    self.init(
      streams: DialedStreams(endpoints: endpoints), config: config, events: events, pool: pool, store: store, logger: logger)
  }

  package init(
    streams: any LinkStreams, config: String, events: any AdapterEvents, pool: any WorkPool, store: any PluginStore,
    logger: Logger
  ) {
    self.streams = streams
    self.config = config
    self.events = events
    self.pool = pool
    self.store = store
    self.logger = logger
  }
}

/// Takes what a plugin in a child declares and commits; the host looks at it once more.
protocol SampleRelay: Sendable {
  func declared(_ device: UInt32, _ points: [ChildMessage.NumberedPoint])
  func committed(_ batch: SampleBatch, durable: Bool) -> bb_status_t
  /// The host does not keep up: no batch for now.
  var isCongested: Bool { get }
}

/// Small durable values of a link (store.h).
package protocol PluginStore: Sendable {
  func get(_ key: String) -> [UInt8]?
  /// Empty = remove. On disk when it returns.
  func set(_ key: String, to value: [UInt8]) throws
}

/// A link whose plugin runs in this process: calls go through the plugin's own table on a thread of the pool.
@safe package final class DirectLink: AdapterConnection, @unchecked Sendable {
  let number: UInt32
  let resources: LinkResources
  let signal = CallSignal()
  let points = PointRegistry()
  let logLimit = LogLimit()

  private let plugin: LoadedPlugin
  private let table: UnsafePointer<bb_adapter_t>
  private let serial = Atomic<UInt32>(0)

  // Used by the calls only, of which there is one at a time; the guard above sees to it.
  var stream: (endpoint: String, open: OpenStream)?
  var explanation = ""
  /// Number of the device that the running call is for, 0 = none.
  var device: UInt32 = 0
  var slot: BatchSlot?
  /// What the running step of a search has found.
  var proposals: [AdapterCandidate] = []
  private var state: UnsafeMutableRawPointer?
  private var devices: [UInt32: UnsafeMutableRawPointer] = unsafe [:]

  init(plugin: LoadedPlugin, table: UnsafePointer<bb_adapter_t>, resources: LinkResources) {
    self.plugin = plugin
    unsafe self.table = table
    self.resources = resources
    number = LinkTable.shared.nextNumber()
    LinkTable.shared.add(self)
  }

  /// Another link of the same adapter.
  convenience init(plugin: LoadedPlugin, adapterOf other: DirectLink, resources: LinkResources) {
    unsafe self.init(plugin: plugin, table: other.table, resources: resources)
  }

  package func cancel() { signal.set() }

  package func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    unsafe run(deadline, completion) { link, call in
      guard let open = unsafe link.table.pointee.open else { return bb_status_t(BB_OK) }
      return unsafe withLentText(link.resources.config) { text in
        var config = unsafe bb_link_config_t()
        unsafe config.size = UInt32(MemoryLayout<bb_link_config_t>.size)
        unsafe config.link = link.number
        unsafe config.config = text
        return unsafe open(link.plugin.host, call, &config, &link.state)
      }
    }
  }

  package func add(
    _ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void
  ) {
    unsafe run(deadline, device: device.number, completion) { link, call in
      guard let add = unsafe link.table.pointee.device_add else { return bb_status_t(BB_OK) }
      var deviceState: UnsafeMutableRawPointer?
      let status = unsafe withLentText(device.name) { name in
        unsafe withLentText(device.config) { config in
          unsafe withLentText(device.templateBody) { body in
            var setup = unsafe bb_device_config_t()
            unsafe setup.size = UInt32(MemoryLayout<bb_device_config_t>.size)
            unsafe setup.device = device.number
            unsafe setup.name = name
            unsafe setup.device_config = config
            unsafe setup.template_body = body
            return unsafe add(link.plugin.host, call, link.state, &setup, &deviceState)
          }
        }
      }
      if let deviceState = unsafe deviceState {
        if status >= 0 {
          unsafe link.devices[device.number] = deviceState
        } else {
          unsafe link.table.pointee.device_remove?(link.plugin.host, call, link.state, device.number, deviceState)
        }
      }
      return status
    }
  }

  package func remove(
    _ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void
  ) {
    unsafe run(deadline, completion) { link, call in
      unsafe link.drop(device, call)
      return bb_status_t(BB_OK)
    }
  }

  package func poll(
    _ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void
  ) {
    unsafe run(deadline, device: device, completion) { link, call in
      guard let poll = unsafe link.table.pointee.poll else { return bb_status_t(BB_OK) }
      return unsafe due.withUnsafeBufferPointer { due in
        unsafe poll(
          link.plugin.host, call, link.state, device, link.devices[device], due.baseAddress, UInt32(due.count))
      }
    }
  }

  package func command(
    _ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void
  ) {
    let outcome = OutcomeBox()
    unsafe run(deadline, device: command.device) { result in
      completion(result.failure == nil ? outcome.pending ?? outcome.result() : .failed(result))
    } body: { link, call in
      let status = unsafe link.deliver(command, call, outcome)
      // A refusal is no failed call, and has its sentence all the same.
      outcome.explanation = link.explanation
      if status == BB_PENDING { unsafe outcome.pending = .pending(token: call.pointee.token, atMost: link.mostPending) }
      return status
    }
  }

  package func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    unsafe run(deadline, completion) { link, call in
      for device in unsafe Array(link.devices.keys) { unsafe link.drop(device, call) }
      if let state = unsafe link.state {
        unsafe link.table.pointee.close?(link.plugin.host, call, state)
        unsafe link.state = nil
      }
      link.closeStream()
      link.slot = nil
      return bb_status_t(BB_OK)
    }
  }

  var host: UnsafePointer<bb_host_t> { unsafe plugin.host }
  var pluginState: UnsafeMutableRawPointer? { unsafe state }

  func interface(_ id: String) -> UnsafeRawPointer? { unsafe plugin.interface(id, of: table) }

  package func retire() { LinkTable.shared.remove(self) }

  private func drop(_ device: UInt32, _ call: UnsafePointer<bb_call_t>) {
    if let state = unsafe devices.removeValue(forKey: device) {
      unsafe table.pointee.device_remove?(plugin.host, call, self.state, device, state)
    }
    points.forget(device: device)
  }

  private func deliver(
    _ command: AdapterCommand, _ call: UnsafePointer<bb_call_t>, _ outcome: OutcomeBox
  ) -> bb_status_t {
    guard let interface = unsafe plugin.interface(BB_INTERFACE_COMMANDS, of: table),
      let deliver = unsafe interface.assumingMemoryBound(to: bb_commands_interface_t.self).pointee.command
    else {
      explanation = "the adapter takes no commands"
      return failed(BB_CLASS_UNSUPPORTED)
    }
    let descriptor: PointDescriptor? =
      if case .set(let point, _) = command.verb { points.point(point)?.descriptor } else { nil }
    outcome.labels = descriptor?.labels ?? []
    return unsafe withCommandRecord(command, labels: outcome.labels) { record in
      unsafe outcome.fill { unsafe deliver(plugin.host, call, state, command.device, devices[command.device], record, $0) }
    }
  }

  /// Runs one call on a thread of the pool. Whatever happens, `completion` is called once.
  func run(
    _ deadline: Int64, device: UInt32 = 0, _ completion: @escaping @Sendable (CallResult) -> Void,
    body: @escaping @Sendable (DirectLink, UnsafePointer<bb_call_t>) -> bb_status_t
  ) {
    // Here, not on the thread: what is cancelled before a thread is free is cancelled.
    signal.clear()
    resources.pool.run { [self] in
      explanation = ""
      self.device = device
      var call = bb_call_t()
      call.size = UInt32(MemoryLayout<bb_call_t>.size)
      // The link's number is in the token, so that a host slot finds the link of a call.
      let count = serial.add(1, ordering: .relaxed).newValue
      call.token = UInt64(number) << 32 | UInt64(count)
      call.deadline_ns = deadline
      let status = unsafe withUnsafePointer(to: call) { unsafe body(self, $0) }
      slot?.abandon()
      completion(CallResult(status: status, text: explanation))
    }
  }
}

func failed(_ failure: Int, _ reason: Int = 0) -> bb_status_t { -bb_status_t(failure << 16 | reason) }
