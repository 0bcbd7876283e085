// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarControl
internal import BusbarLinks
internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import BusbarUplink
internal import Logging
internal import Synchronization

/// What links ask of the rest of the host for their plugins: verdicts about tags, records, requests to the arbiter.
final class HostOffice: LinkHost, TagUplink {
  private struct State {
    var uplink: Uplink?
    var topics: Topics?
    var desk: TagDesk?
    var links: LinkManager?
    var certificates: CertificateDesk?
    var arbiter: Arbiter?
    /// By link.
    var grants: [String: Priority] = [:]
    var requests = RequestBudget()
    var list: [UInt8] = NoLinkHost().tags()
  }

  private let state = Mutex(State())
  private let outbox: Outbox
  private let picture: LivePicture
  private let logger: Logger

  init(outbox: Outbox, picture: LivePicture, logger: Logger) {
    self.outbox = outbox
    self.picture = picture
    self.logger = logger
  }

  func connect(_ desk: TagDesk, _ links: LinkManager, uplink: Uplink?, topics: Topics) async {
    state.withLock { state in
      state.desk = desk
      state.links = links
      state.uplink = uplink
      state.topics = topics
    }
    await listChanged()
  }

  /// Chargers that keep the list themselves are told that it is another one.
  func listChanged() async {
    let (desk, links) = state.withLock { ($0.desk, $0.links) }
    guard let list = await desk?.list.text else { return }
    state.withLock { $0.list = Array(list.utf8) }
    await links?.tagsChanged()
  }

  /// Who signs certificates that devices ask for.
  func connect(_ certificates: CertificateDesk) { state.withLock { $0.certificates = certificates } }

  /// With what priorities links may ask for values.
  func grant(_ grants: [String: Priority], _ arbiter: Arbiter) {
    state.withLock { ($0.grants, $0.arbiter) = (grants, arbiter) }
  }

  // MARK: For links

  func ask(device: DeviceID, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) {
    guard let desk = state.withLock({ $0.desk }) else { return answer(.undecided) }
    Task {
      let tag = await desk.decide(tag, kind: kind, device: device)
      answer(TagAnswer(verdict: tag.verdict.number, group: tag.group ?? "", expires: tag.expires ?? 0))
    }
  }

  func tags() -> [UInt8] { state.withLock { $0.list } }

  func record(device: DeviceID, kind: String, document: [UInt8]) -> String? {
    guard let members = (try? JSONValue(parsing: document, depth: 32))?.object else { return "the record is no JSON object" }
    let record = Record(device: device, kind: kind, members: members, time: Clock.unixMilliseconds())
    outbox.accept(record)
    picture.record(record)
    state.withLock { $0.certificates }?.kept(device, kind, members)
    return nil
  }

  func request(link: String, device: String, point: String, value: Double?, valid: Int64) -> String? {
    let now = Clock.boot()
    let (arbiter, priority, admitted) = state.withLock { state in
      (state.arbiter, state.grants[link], state.requests.admit(link, now: now))
    }
    guard let arbiter, let priority else {
      return "nobody granted \(link) a priority to ask for \(point) of \(device) with: give it control: PRIORITY in the configuration"
    }
    guard let id = DeviceID(rawValue: device) else { return "\(device) is no id of a device" }
    guard admitted else { return "\(link) asks more than \(RequestBudget.burst) times in a second" }
    let request = CommandRequest(
      id: "\(link.prefix(40))-\(now)", device: id, verb: .set(point: point, value: value.map { .number($0) }), time: Clock.unixMilliseconds(),
      validFor: value == nil ? nil : .nanoseconds(valid), priority: priority, owner: "link \(link)", role: .administrator)
    Task { [logger] in
      let response = await arbiter.submit(request)
      guard ![.done, .accepted].contains(response.status) else { return }
      logger.info(
        "what an adapter asked for was not carried out",
        metadata: ["link": "\(link)", "device": "\(device)", "point": "\(point)", "reason": "\(response.text ?? response.status.rawValue)"])
    }
    return nil
  }

  // MARK: For the desk of tags

  var isOnline: Bool { state.withLock { $0.uplink }?.status.state == .connected }

  func ask(_ question: JSONValue) -> Bool {
    let (uplink, topics) = state.withLock { ($0.uplink, $0.topics) }
    guard let uplink, let topics else { return false }
    uplink.send(EphemeralMessage(topic: topics.authorizeRequest, payload: Array(question.text.utf8)))
    return true
  }
}

/// An adapter asks so often in a second, and no oftener: each request is journalled.
private struct RequestBudget {
  static let burst = 10
  private var counts: [String: (second: Int64, count: Int)] = [:]

  mutating func admit(_ link: String, now: Int64) -> Bool {
    let second = now / 1_000_000_000
    let count = counts[link].map { $0.second == second ? $0.count : 0 } ?? 0
    counts[link] = (second, count + 1)
    return count < Self.burst
  }
}

extension Tag.Verdict {
  /// authorize.h, BB_TAG_…
  fileprivate var number: UInt32 {
    switch self {
    case .accepted: 1
    case .blocked: 2
    case .expired: 3
    case .unknown: 4
    case .undecided: 5
    }
  }
}
