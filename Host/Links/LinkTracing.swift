// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem

/// The frames of one link, with what a reader has to know about them.
package struct LinkTracing: Sendable {
  package var head: Trace.Head
  private let frames: LinkTrace
  private let only: UInt32?
  /// One far end comes in by itself, and says of all that is on the link at once.
  private let isVisited: Bool
  private let start: Int64
  private let name: @Sendable (UInt32) -> String?

  fileprivate init(_ plan: LinkPlan, _ events: LinkEvents, only device: (number: UInt32, id: String)?) {
    frames = events.frames
    only = device?.number
    isVisited = plan.isVisited
    start = events.frames.kept.first?.time ?? Clock.boot()
    let framing = (try? JSONValue(parsing: Array(plan.config.utf8)))?["framing"]?.string
    head = Trace.Head(
      link: plan.id, adapter: plan.adapter, endpoint: Trace.withoutSecrets(plan.endpointText), framing: framing,
      device: device?.id, start: (Clock.unix() - (Clock.boot() - start)) / 1_000_000)
    name = { [weak events] number in events?[number]?.id?.rawValue }
  }

  /// What is kept, as lines.
  package var kept: [String] { frames.kept.compactMap(line) }

  /// What is kept, and each further line as it comes; the lines end with the link.
  package func follow() -> (kept: [String], lines: AsyncStream<String>) {
    let (kept, lines) = frames.follow { [self] in line($0) }
    return (kept.compactMap(line), lines)
  }

  /// Nil for a frame of another device. What happens to the connection concerns all.
  private func line(_ entry: TraceRing.Entry) -> String? {
    if let only, entry.device != only {
      guard entry.device == 0 else { return nil }
      if !isVisited { guard case .event = entry.content else { return nil } }
    }
    let device = only == nil && entry.device != 0 ? name(entry.device) : nil
    return TraceWriter.line(Trace.Frame(time: entry.time - start, entry.content, device: device))
  }
}

extension LinkGuard {
  fileprivate func tracing(_ device: String?) -> LinkTracing? {
    guard let device else { return LinkTracing(plan, events, only: nil) }
    guard let id = DeviceID(rawValue: device), let (number, _) = find(id) else { return nil }
    return LinkTracing(plan, events, only: (number, device))
  }
}

extension LinkManager {
  /// The frames of a link, or those of one device on it; nil where there is no such link, or no such device on it.
  package func tracing(_ link: String, device: String?) async -> LinkTracing? {
    await guards[link]?.tracing(device)
  }
}
