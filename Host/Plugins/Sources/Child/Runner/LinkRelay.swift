// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import PluginAPI
internal import Synchronization

/// What a link in a child has instead of a host around it: everything becomes a message.
struct LinkRelay: AdapterEvents, SampleRelay, PluginStore, LinkStreams, FrameRecording {
  /// Text of points in one message, bytes.
  private static let pointBytes = 32_768

  let link: UInt32
  let outlet: Outlet
  let questions: Questions

  var trace: (any FrameRecording)? { self }
  var isCongested: Bool { outlet.isCongested }

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {}

  func declared(_ device: UInt32, _ points: [ChildMessage.NumberedPoint]) {
    var part: [ChildMessage.NumberedPoint] = []
    var size = 0
    for point in points {
      part.append(point)
      size += 128 + point.point.name.utf8.count + point.point.title.utf8.count + point.point.detail.utf8.count
      guard size > Self.pointBytes else { continue }
      outlet.tell(.declared(link: link, device: device, part))
      part = []
      size = 0
    }
    if !part.isEmpty { outlet.tell(.declared(link: link, device: device, part)) }
  }

  func identified(_ device: UInt32, _ identity: DeviceIdentity) {
    outlet.tell(.identified(link: link, device: device, identity))
  }

  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {}

  func committed(_ batch: SampleBatch, durable: Bool) -> bb_status_t {
    var batch = batch
    // It may wait for what the call still tells: its time is now.
    let now = Clock.unix()
    for index in batch.samples.indices where batch.samples[index].time_ns == 0 { batch.samples[index].time_ns = now }
    for samples in batch.messages {
      if durable {
        _ = questions.ask(.durable(samples), link: link)
      } else {
        outlet.tell(.samples(link: link, samples))
      }
    }
    return bb_status_t(BB_OK)
  }

  func problem(_ device: UInt32, name: String, active: Bool, text: String) {
    outlet.tell(.problem(link: link, device: device, name: name, active: active, text: text))
  }

  func record(_ direction: TraceRing.Direction, _ frame: [UInt8], device: UInt32, time: Int64) {
    let kept = frame.count > TraceRing.frameLimit ? Array(frame.prefix(TraceRing.frameLimit)) : frame
    outlet.tell(.frame(link: link, device: device, time: time, direction == .sent ? .sent(kept) : .received(kept)))
    if kept.count < frame.count { record(.cut(frame.count - kept.count), device: device, time: time) }
  }

  func record(_ event: TraceEvent, device: UInt32, time: Int64) {
    outlet.tell(.frame(link: link, device: device, time: time, .event(event)))
  }

  func get(_ key: String) -> [UInt8]? {
    guard case .value(let value) = questions.ask(.storeGet(key: key), link: link).answer else { return nil }
    return value
  }

  func set(_ key: String, to value: [UInt8]) throws {
    if case .failed(_, let text) = questions.ask(.storeSet(key: key, value: value), link: link).answer { throw Refused(description: text) }
  }

  func open(_ endpoint: String, deadline: Int64, stop: CallSignal) throws(TransportError) -> OpenStream? {
    let (answer, descriptor) = questions.ask(.stream(endpoint: endpoint, deadline: deadline), link: link)
    switch answer {
    case .stream(let facts):
      guard let descriptor else {
        throw TransportError(.other, "the plugin has more than 1,000 connections open: use fewer links, or a second host")
      }
      return OpenStream(descriptor, facts)
    case .failed(let cause, let text): throw TransportError(TransportError.Cause(number: cause), text)
    case .done, .value, .nothing: return nil
    }
  }

  func released() { outlet.tell(.released(link: link)) }

  private struct Refused: Error, CustomStringConvertible {
    var description: String
  }
}

/// Requests to the host and their answers.
final class Questions: Sendable {
  typealias Answer = (answer: HostMessage.Answer, descriptor: Descriptor?)

  private let outlet: Outlet
  private let state = Mutex(State())

  private struct State {
    var last: UInt64 = 0
    var open: [UInt64: BlockingQueue<Answer>] = [:]
  }

  init(_ outlet: Outlet) { self.outlet = outlet }

  /// Waits for the answer. The host gives one to each; without a host this process ends.
  func ask(_ request: ChildMessage.Request, link: UInt32) -> Answer {
    let waiting = BlockingQueue<Answer>()
    let number = state.withLock { state in
      state.last += 1
      state.open[state.last] = waiting
      return state.last
    }
    outlet.send(.request(number, link: link, request))
    return waiting.next() ?? (.nothing, nil)
  }

  func answered(_ number: UInt64, _ answer: HostMessage.Answer, _ descriptor: Descriptor?) {
    state.withLock { $0.open.removeValue(forKey: number) }?.add((answer, descriptor))
  }
}

extension TransportError.Cause {
  private static let all: [TransportError.Cause] = [.other, .timeout, .closed, .refused, .address, .cancelled, .noSpace, .untrusted]

  /// An unknown one is another one.
  init(number: UInt8) { self = Int(number) < Self.all.count ? Self.all[Int(number)] : .other }

  var number: UInt8 { UInt8(Self.all.firstIndex(of: self) ?? 0) }
}
