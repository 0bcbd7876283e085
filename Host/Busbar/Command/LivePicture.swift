// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarHistory
internal import BusbarLinks
internal import BusbarModel
internal import BusbarSystem
internal import BusbarUplink
internal import Synchronization

/// Takes what the links tell and hands it on: readings and alarms to the buffer, the newest state to the uplink's
/// retained topics, everything to whoever watches.
final class LivePicture: LinkObserver {
  /// Threads that may hang in plugins before the host ends to be started anew (contract, section 8).
  static let lostThreadLimit = 4

  private let outbox: Outbox
  private let alarmWriter: AlarmWriter
  private let history: History
  private let payloads: Payloads
  private let state = Mutex(State())

  private struct State {
    var uplink: Uplink?
    var kinds: [DeviceID: DeviceKind] = [:]
    /// The last good energies of solar devices: they are read less often than the power beside which they are shown.
    var energies: [DeviceID: [Reading.Item]] = [:]
    var infos: [DeviceID: DeviceInfo] = [:]
    var sessions: [DeviceID: [JSONValue]] = [:]
    var states: [DeviceID: DeviceStatus] = [:]
    /// Of the host itself, beside those of the buffer; by who told.
    var ownAlarms: [OwnAlarms: [JSONValue]] = [:]
    var watchers: [UInt64: Watcher] = [:]
    var lastWatcher: UInt64 = 0
    var onContact: (@Sendable (DeviceID) -> Void)?
    var onChange: (@Sendable () -> Void)?
    var onLostThreads: (@Sendable () -> Void)?
  }

  private struct Watcher {
    let devices: Set<String>?
    let stream: AsyncStream<JSONValue>.Continuation
  }

  init(outbox: Outbox, history: History, payloads: Payloads) {
    self.outbox = outbox
    alarmWriter = AlarmWriter(outbox: outbox)
    self.history = history
    self.payloads = payloads
  }

  func connect(
    uplink: Uplink?, onContact: @escaping @Sendable (DeviceID) -> Void, onChange: @escaping @Sendable () -> Void,
    onLostThreads: @escaping @Sendable () -> Void
  ) {
    state.withLock { state in
      state.uplink = uplink
      state.onContact = onContact
      state.onChange = onChange
      state.onLostThreads = onLostThreads
    }
  }

  func reading(_ reading: Reading) {
    outbox.accept(reading)
    history.accept(reading)
    let (uplink, kind, watchers, shown) = state.withLock { state in
      let kind = state.kinds[reading.device]
      let shown = kind == .solar ? Self.withEnergies(reading, &state) : reading
      return (state.uplink, kind, Self.interested(state, reading.device), shown)
    }
    if let uplink, let kind, let (topic, payload) = payloads.state(of: shown, kind: kind) {
      uplink.setState(topic, payload)
    }
    guard !watchers.isEmpty else { return }
    var event = ReadingBody.members(reading.items)
    event["device"] = .string(reading.device.rawValue)
    event["ts"] = .integer(reading.time / 1_000_000)
    for watcher in watchers { watcher.yield(.object(event)) }
  }

  private static func withEnergies(_ reading: Reading, _ state: inout State) -> Reading {
    let known = state.energies[reading.device] ?? []
    let fresh = reading.items.filter { ["energy_today", "energy_total"].contains($0.point.name) && $0.value != nil }
    let kept = known.filter { item in !fresh.contains { $0.point.name == item.point.name } }
    state.energies[reading.device] = fresh + kept
    var shown = reading
    shown.items.removeAll { item in kept.contains { $0.point.name == item.point.name } }
    shown.items += kept
    return shown
  }

  func status(_ status: DeviceStatus) {
    let (uplink, info, watchers, contact, change) = state.withLock { state in
      let before = state.states.updateValue(status, forKey: status.device)
      let contact = status.state.answers && before?.state.answers != true ? state.onContact : nil
      // The numbers in between are the device's own matter: the host's documents do not have them.
      let isNews = before?.state != status.state || before?.alarms != status.alarms
      let change = isNews ? state.onChange : nil
      return (state.uplink, state.infos[status.device], Self.interested(state, status.device), contact, change)
    }
    if let info {
      let payload = payloads.deviceStatus(status, info: info, time: Clock.unixMilliseconds())
      uplink?.setState(.deviceStatus(status.device), payload)
    }
    for watcher in watchers {
      watcher.yield([
        "device": .string(status.device.rawValue), "ts": .integer(Clock.unixMilliseconds()),
        "state": .string(status.state.rawValue), "reason": status.reason.map { .string($0) } ?? .null,
      ])
    }
    contact?(status.device)
    change?()
  }

  func info(_ info: DeviceInfo) {
    let (uplink, status) = state.withLock { state in
      state.infos[info.id] = info
      state.kinds[info.id] = info.kind
      return (state.uplink, state.states[info.id])
    }
    let now = Clock.unixMilliseconds()
    // Before first contact the broker may still have the whole picture from the last run.
    if !info.points.isEmpty { uplink?.setState(.deviceInfo(info.id), payloads.deviceInfo(info, time: now)) }
    if let status { uplink?.setState(.deviceStatus(info.id), payloads.deviceStatus(status, info: info, time: now)) }
  }

  func alarm(_ alarm: Alarm) { alarmWriter.accept(alarm) }

  /// Before the buffer is closed.
  func close() { alarmWriter.close() }

  /// The last ones of each device, by session; for those who ask the API.
  func record(_ record: Record) {
    guard record.kind == Record.session else { return }
    var document = record.members
    document["ts"] = document["ts"] ?? .integer(record.time)
    let watchers = state.withLock { state in
      var sessions = state.sessions[record.device] ?? []
      sessions.removeAll { $0["session"] == document["session"] }
      sessions.append(.object(document))
      state.sessions[record.device] = sessions.suffix(Self.sessionLimit)
      return Self.interested(state, record.device)
    }
    for watcher in watchers { watcher.yield(["device": .string(record.device.rawValue), "session": .object(document)]) }
  }

  /// Sessions that are kept of a device.
  private static let sessionLimit = 16

  /// The newest last.
  func sessions(of device: DeviceID) -> [JSONValue] { state.withLock { $0.sessions[device] ?? [] } }

  func threadLost(_ lost: Int) {
    guard lost >= Self.lostThreadLimit else { return }
    state.withLock { $0.onLostThreads }?()
  }

  /// A device left the configuration: its retained topics are emptied.
  func forget(_ device: DeviceID) {
    let uplink = state.withLock { state in
      state.infos[device] = nil
      state.sessions[device] = nil
      state.states[device] = nil
      state.kinds[device] = nil
      state.energies[device] = nil
      return state.uplink
    }
    for topic: StateTopic in [.deviceStatus(device), .deviceInfo(device), .batterySoc(device), .solarProduction(device), .chargerSession(device)] {
      uplink?.setState(topic, nil)
    }
  }

  var devices: [ListedDevice] {
    let all = state.withLock { state in
      state.states.values.compactMap { status in
        state.kinds[status.device].map { ListedDevice(id: status.device, kind: $0, state: status.state) }
      }
    }
    return all.sorted { $0.id < $1.id }
  }

  /// How many devices answer and how many do not.
  var counts: (online: Int, offline: Int) {
    state.withLock { state in
      var (online, offline) = (0, 0)
      for status in state.states.values where state.kinds[status.device] != nil {
        if status.state.answers { online += 1 } else { offline += 1 }
      }
      return (online, offline)
    }
  }

  /// Of devices and of the host itself.
  var alarms: [JSONValue] {
    let faults = [("BufferFault", outbox.status.problem), ("HistoryFault", history.status.problem)]
    let own: [JSONValue] = faults.compactMap { name, text in
      text.map { ["name": .string(name), "text": .string($0)] }
    }
    return own + state.withLock { state in
      let ofDevices = state.states.values.filter { !$0.alarms.isEmpty }.sorted { $0.device < $1.device }.flatMap { status in
        status.alarms.map { ["device": .string(status.device.rawValue), "name": .string($0)] as JSONValue }
      }
      return OwnAlarms.allCases.flatMap { state.ownAlarms[$0] ?? [] } + ofDevices
    }
  }

  /// Who watches a part of the host.
  enum OwnAlarms: CaseIterable {
    case listeners, authorities, certificates, metrics, profiles, newcomers
  }

  func setOwnAlarms(_ alarms: [JSONValue], of part: OwnAlarms) {
    let onChange = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.ownAlarms[part] ?? [] != alarms else { return nil }
      state.ownAlarms[part] = alarms
      return state.onChange
    }
    onChange?()
  }

  /// One of this name for each sentence.
  func setOwnAlarms(_ name: String, _ sentences: [String], of part: OwnAlarms) {
    setOwnAlarms(sentences.map { ["name": .string(name), "text": .string($0)] }, of: part)
  }

  /// What is told from now on; the oldest is dropped where the reader is slow.
  func watch(_ devices: [String]?) -> AsyncStream<JSONValue> {
    let (stream, continuation) = AsyncStream.makeStream(of: JSONValue.self, bufferingPolicy: .bufferingNewest(256))
    let number = state.withLock { state in
      state.lastWatcher += 1
      state.watchers[state.lastWatcher] = Watcher(devices: devices.map(Set.init), stream: continuation)
      return state.lastWatcher
    }
    continuation.onTermination = { [weak self] _ in
      guard let self else { return }
      state.withLock { $0.watchers[number] = nil }
    }
    return stream
  }

  private static func interested(_ state: borrowing State, _ device: DeviceID) -> [AsyncStream<JSONValue>.Continuation] {
    guard !state.watchers.isEmpty else { return [] }
    return state.watchers.values.filter { $0.devices?.contains(device.rawValue) ?? true }.map(\.stream)
  }
}
