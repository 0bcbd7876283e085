// SPDX-License-Identifier: Apache-2.0

internal import BusbarControl
internal import BusbarModel
package import BusbarPlugins
internal import BusbarSystem
package import BusbarTransports
internal import Logging

/// A connection that is in service, open or not.
package struct ServedConnection: Sendable, Equatable {
  package var link: String
  package var adapter: String
  package var endpoint: StreamEndpoint
  /// As a person wrote it.
  package var text: String

  package init(link: String, adapter: String, endpoint: StreamEndpoint, text: String) {
    self.link = link
    self.adapter = adapter
    self.endpoint = endpoint
    self.text = text
  }
}

extension LinkManager {
  /// For the whole of opening, one step, closing of a connection that is made for a search or a trial.
  private static let patience = Duration.seconds(10)
  /// A link whose devices are always due has no time for a search; a step waits so long for it.
  private static let longestWait = Duration.seconds(60)

  package func connections() async -> [ServedConnection] {
    var list: [ServedConnection] = []
    for (id, link) in guards {
      let plan = await link.plan
      list.append(ServedConnection(link: id, adapter: plan.adapter, endpoint: plan.endpoint, text: plan.endpointText))
    }
    return list
  }

  /// Searches behind a connection, through the link in service where there is one, else over one of its own that is
  /// closed afterwards. `told` hears of each step and says whether to go on. Nil = searched to the end, or as far as was
  /// wanted; else why not.
  package func search(
    _ plan: LinkPlan, documents: String, everywhere: Bool,
    told: @escaping @Sendable (_ step: Int, _ result: ScanResult) async -> Bool
  ) async -> CallResult? {
    await withGuard(plan) { link in
      var step = 0
      while !Task.isCancelled {
        let request = ScanRequest(documents: documents, step: step, everywhere: everywhere)
        let result = await Self.scan(link, request)
        guard result.result.failure == nil else { return Task.isCancelled ? nil : result.result }
        guard await told(step, result), step + 1 < result.steps else { return nil }
        step += 1
      }
      return nil
    }
  }

  private static func scan(_ link: LinkGuard, _ request: ScanRequest) async -> ScanResult {
    let timer = Task {
      guard (try? await Task.sleep(for: longestWait)) != nil else { return }
      let text = "the link is too busy with its devices to be searched"
      await link.failSearching(CallResult(failure: .transient, reason: .timeout, text: text))
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        Task { await link.enqueue(LinkGuard.PendingScan(step: request) { continuation.resume(returning: $0) }) }
      }
    } onCancel: {
      Task { await link.failSearching(CallResult(failure: .cancelled, reason: .unspecified, text: "cancelled")) }
    }
  }

  /// Reads a device once that is not in service, its only one of `plan`.
  package func trial(_ plan: LinkPlan) async -> Result<TrialReading, CallResult> {
    guard let device = plan.devices.first else {
      return .failure(CallResult(failure: .config, reason: .unspecified, text: "there is no device to be read"))
    }
    var bare = plan
    bare.devices = []
    let answer: Result<TrialReading, CallResult>? = await withGuard(bare) { link in
      await withCheckedContinuation { continuation in
        Task {
          await link.enqueue(LinkGuard.PendingTrial(device: device) { continuation.resume(returning: $0) })
        }
      }
    }
    return answer ?? .failure(CallResult(failure: .transient, reason: .unspecified, text: "the host is ending"))
  }

  private func withGuard<Answer: Sendable>(
    _ plan: LinkPlan, _ body: @Sendable (LinkGuard) async -> Answer?
  ) async -> Answer? {
    for link in guards.values {
      let other = await link.plan
      if other.adapter == plan.adapter, other.endpoint == plan.endpoint { return await body(link) }
    }
    let link = LinkGuard(
      plan: plan, connecting: connecting, observer: NoObserver(host: observer), binding: NoBinding(),
      logger: Logger(label: "busbar", factory: { _ in SwiftLogNoOpLogHandler() }), patience: Self.patience)
    await link.start()
    let answer = await body(link)
    await link.stop(within: .seconds(5))
    return answer
  }
}

/// Of a connection that is made for a search nobody hears, but for a thread that hangs.
private struct NoObserver: LinkObserver {
  let host: any LinkObserver
  func reading(_ reading: Reading) {}
  func status(_ status: DeviceStatus) {}
  func info(_ info: DeviceInfo) {}
  func alarm(_ alarm: Alarm) {}
  func threadLost(_ lost: Int) { host.threadLost(lost) }
}

private struct NoBinding: IdentityBinding {
  func id(forKey key: String) -> DeviceID? { nil }
  func bind(_ id: DeviceID, toKey key: String) -> DeviceID { id }
}
