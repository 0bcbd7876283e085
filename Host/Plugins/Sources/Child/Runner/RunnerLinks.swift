// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Logging

/// The links of a child: the host's calls go to the plugin as they do in the host, what comes of them goes back.
/// For the thread whose turn it is to read.
final class RunnerLinks {
  private let plugin: LoadedPlugin
  private let outlet: Outlet
  private let questions: Questions
  private let pool: any WorkPool
  private var links: [UInt32: DirectLink] = [:]

  init(_ plugin: LoadedPlugin, _ outlet: Outlet, _ pool: any WorkPool) {
    self.plugin = plugin
    self.outlet = outlet
    self.pool = pool
    questions = Questions(outlet)
  }

  func handle(_ message: HostMessage, _ descriptor: Descriptor?) {
    switch message {
    case .load: break
    case .call(let call): begin(call)
    case .cancel(let link): links[link]?.cancel()
    case .retire(let link): links.removeValue(forKey: link)?.retire()
    case .answer(let request, let answer): questions.answered(request, answer, descriptor)
    }
  }

  private func begin(_ call: HostMessage.Call) {
    let outlet = outlet
    let ended: @Sendable (CallResult) -> Void = { outlet.send(.result(call: call.id, $0)) }
    if case .open(let adapter, let config) = call.verb, links[call.link] == nil {
      links[call.link] = link(call.link, adapter, config)
    }
    guard let link = links[call.link] else {
      return ended(CallResult(failure: .config, reason: .unspecified, text: "the plugin has no such adapter"))
    }
    switch call.verb {
    case .open: link.open(deadline: call.deadline, completion: ended)
    case .add(let device): link.add(device, deadline: call.deadline, completion: ended)
    case .remove(let device): link.remove(device, deadline: call.deadline, completion: ended)
    case .poll(let device, let due): link.poll(device, due: due, deadline: call.deadline, completion: ended)
    case .close: link.close(deadline: call.deadline, completion: ended)
    case .event(let event): link.event(event, deadline: call.deadline, completion: ended)
    case .command(let command):
      link.command(command, deadline: call.deadline) { outlet.send(.outcome(call: call.id, $0)) }
    case .scan(let step):
      link.scan(step, deadline: call.deadline) { found in
        for candidate in found.candidates where candidate.config.text.utf8.count <= AdapterCandidate.settingsLimit {
          outlet.tell(.candidate(call: call.id, candidate))
        }
        outlet.send(.scanned(call: call.id, found.result, steps: UInt32(clamping: found.steps)))
      }
    }
  }

  private func link(_ number: UInt32, _ adapter: String, _ config: String) -> DirectLink? {
    let relay = LinkRelay(link: number, outlet: outlet, questions: questions)
    var resources = LinkResources(
      streams: relay, config: config, events: relay, pool: pool, store: relay,
      logger: Logger(label: "link") { [outlet] _ in OutletLog(outlet: outlet, link: number) })
    resources.relay = relay
    resources.services = relay
    return plugin.link(adapter: adapter, resources: resources)
  }
}
