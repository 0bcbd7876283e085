// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem

/// The metrics of a host, made of what the API says, so that both always agree.
struct HostMetrics {
  let status: JSONValue
  let devices: [JSONValue]
  let links: [JSONValue]

  /// Asks the host once.
  static func text(_ operations: any HostOperations, points: Bool) async -> String {
    let metrics = HostMetrics(
      status: await operations.status(), devices: await operations.devices().array ?? [],
      links: await operations.links().array ?? [])
    return MetricsText.text(metrics.families(points: points) + process(ProcessUsage()))
  }

  /// Points last: where there is too much, they are what is left out.
  func families(points: Bool) -> [MetricFamily] {
    hostFamilies + listenerFamilies + bufferFamilies + historyFamilies + uplinkFamilies + linkFamilies + deviceFamilies
      + (points ? [pointFamily] : [])
  }

  private var hostFamilies: [MetricFamily] {
    var build = MetricFamily("busbar_build_info", .gauge, "Version and identity of the host; always 1.")
    build.add(
      1, ["version": status["version"]?.string, "gateway": status["id"]?.string, "role": status["role"]?.string])
    var states = MetricFamily("busbar_devices", .gauge, "Devices by state.")
    for state in DeviceState.allCases {
      states.add(Double(devices.count { $0["state"]?.string == state.rawValue }), ["state": state.rawValue])
    }
    var commands = MetricFamily("busbar_commands_total", .counter, "Commands that were answered, by status.")
    for (result, count) in Self.sorted(status["commands"]) { commands.add(count, ["result": result]) }
    var plugins = MetricFamily("busbar_plugin_state", .gauge, "Plugin files and what became of them; always 1.")
    for plugin in status["plugins"]?.array ?? [] {
      let file = plugin["file"]?.string.flatMap { $0.split(separator: "/").last.map(String.init) }
      plugins.add(
        1,
        [
          "plugin": plugin["id"]?.string, "version": plugin["version"]?.string, "file": file,
          "state": plugin["state"]?.string,
        ])
    }
    return [
      build,
      MetricFamily(
        "busbar_start_time_seconds", .gauge, "When the host started, Unix seconds.",
        value: status["since"]?.number.map { $0 / 1000 }),
      states, commands, plugins,
      MetricFamily(
        "busbar_alarms", .gauge, "Active alarms of the host and its devices.",
        value: status["alarms"]?.array.map { Double($0.count) }),
      MetricFamily(
        "busbar_leases", .gauge, "Setpoints that hold.", value: status["leases"]?.array.map { Double($0.count) }),
    ]
  }

  private var listenerFamilies: [MetricFamily] {
    var up = MetricFamily("busbar_listener_up", .gauge, "1 while devices can connect to the listener.")
    for listener in status["listeners"]?.array ?? [] {
      up.add(listener["state"]?.string == "open" ? 1 : 0, ["listener": listener["name"]?.string])
    }
    return [up]
  }

  private var bufferFamilies: [MetricFamily] {
    let buffer = status["buffer"]
    return [
      MetricFamily(
        "busbar_buffer_messages", .gauge, "Messages that wait for the broker.", value: buffer?["messages"]?.number),
      MetricFamily("busbar_buffer_bytes", .gauge, "Bytes of these messages.", value: buffer?["bytes"]?.number),
      MetricFamily("busbar_buffer_limit_bytes", .gauge, "Bytes that may wait.", value: buffer?["size"]?.number),
      MetricFamily(
        "busbar_buffer_oldest_timestamp_seconds", .gauge, "Time of the oldest message that waits, Unix seconds.",
        value: buffer?["oldest"]?.number.map { $0 / 1000 }),
      MetricFamily(
        "busbar_buffer_dropped_total", .counter, "Messages dropped by a limit and reported as gaps.",
        value: buffer?["dropped"]?.number),
      MetricFamily(
        "busbar_buffer_faulty", .gauge, "1 while the buffer cannot be written.",
        value: buffer.map { $0["problem"]?.string == nil ? 0 : 1 }),
    ]
  }

  private var historyFamilies: [MetricFamily] {
    let history = status["history"]
    return [
      MetricFamily("busbar_history_bytes", .gauge, "Bytes of the history on disk.", value: history?["bytes"]?.number),
      MetricFamily("busbar_history_limit_bytes", .gauge, "Bytes that it may have; 0 = none is kept.", value: history?["size"]?.number),
      MetricFamily(
        "busbar_history_oldest_timestamp_seconds", .gauge, "The first minute that is kept, Unix seconds.",
        value: history?["oldest"]?.number.map { $0 / 1000 }),
      MetricFamily(
        "busbar_history_faulty", .gauge, "1 while the history cannot be written.",
        value: history.map { $0["problem"]?.string == nil ? 0 : 1 }),
    ]
  }

  private var uplinkFamilies: [MetricFamily] {
    guard let uplink = status["uplink"], uplink.object != nil else { return [] }
    let counters = [
      ("published", "Messages given to the broker, repeats included."),
      ("acknowledged", "Messages that the broker took."),
      ("refused", "Messages that the broker refused."),
      ("reconnects", "Connections after the first one."),
      ("commands", "Commands that came from the broker and were handed on."),
      ("malformed", "Messages from the broker that could not be read."),
      ("elsewhere", "Commands for devices of other hosts at the same broker, left to those."),
      ("dropped_retained", "Commands that were dropped because the broker had retained them."),
      ("dropped_responses", "Answers that gave way to newer ones."),
    ]
    let connected = uplink["state"]?.string == "connected"
    return [
      MetricFamily("busbar_uplink_connected", .gauge, "1 while the broker is connected.", value: connected ? 1 : 0)
    ]
      + counters.map { name, help in
        MetricFamily("busbar_uplink_\(name)_total", .counter, help, value: uplink[name]?.number)
      }
  }

  private var linkFamilies: [MetricFamily] {
    var up = MetricFamily("busbar_link_up", .gauge, "1 while the link is open.")
    var calls = MetricFamily("busbar_link_calls_total", .counter, "Calls of the link's plugin.")
    var overruns = MetricFamily("busbar_link_overruns_total", .counter, "Calls that went beyond their deadline.")
    var reconnects = MetricFamily("busbar_link_reconnects_total", .counter, "Openings of the link after the first one.")
    for link in links {
      let id = link["id"]?.string
      up.add(link["state"]?.string == "open" ? 1 : 0, ["link": id, "adapter": link["adapter"]?.string])
      calls.add(link["calls"]?.number, ["link": id])
      overruns.add(link["overruns"]?.number, ["link": id])
      reconnects.add(link["reconnects"]?.number, ["link": id])
    }
    return [up, calls, overruns, reconnects]
  }

  /// Devices without an id have no topics and no series either.
  private var deviceFamilies: [MetricFamily] {
    var up = MetricFamily("busbar_device_up", .gauge, "1 while the device answers.")
    var polls = MetricFamily("busbar_polls_total", .counter, "Polls, failed ones included.")
    var missed = MetricFamily("busbar_polls_missed_total", .counter, "Polls left out, being more than a period late.")
    var duration = MetricFamily(
      "busbar_poll_duration_seconds", .summary, "How long polls took; the quantiles are of the last 100.")
    var samples = MetricFamily("busbar_samples_total", .counter, "Values and missing values taken.")
    var errors = MetricFamily("busbar_errors_total", .counter, "Failed polls and failed openings, by class.")
    for device in devices {
      guard let id = device["id"]?.string else { continue }
      let answers = device["state"]?.string.flatMap(DeviceState.init(rawValue:))?.answers ?? false
      up.add(
        answers ? 1 : 0,
        [
          "device": id, "link": device["link"]?.string, "adapter": device["adapter"]?.string,
          "type": device["type"]?.string,
        ])
      let quality = device["quality"]
      polls.add(quality?["polls"]?.number, ["device": id])
      missed.add(quality?["missed"]?.number, ["device": id])
      samples.add(quality?["samples"]?.number, ["device": id])
      for (name, count) in Self.sorted(quality?["errors"]) { errors.add(count, ["device": id, "class": name]) }
      for (member, quantile) in [("p50_ms", "0.5"), ("p95_ms", "0.95")] {
        duration.add(quality?[member]?.number.map { $0 / 1000 }, ["device": id, "quantile": quantile])
      }
      duration.add(quality?["poll_seconds"]?.number, ["device": id], suffix: "_sum")
      duration.add(quality?["polls"]?.number, ["device": id], suffix: "_count")
    }
    return [up, polls, missed, duration, samples, errors]
  }

  private var pointFamily: MetricFamily {
    var points = MetricFamily(
      "busbar_point_value", .gauge, "The last value of a point that is a number or a switch; absent without a good one.")
    for device in devices {
      guard let id = device["id"]?.string else { continue }
      for (name, value) in (device["values"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
        let number = value["value"]?.number ?? value["value"]?.boolean.map { $0 ? 1 : 0 }
        points.add(number, ["device": id, "point": name, "unit": value["unit"]?.string])
      }
    }
    return points
  }

  /// Under the names that all Prometheus clients use.
  static func process(_ usage: ProcessUsage) -> [MetricFamily] {
    [
      MetricFamily(
        "process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", value: usage.resident.map(Double.init)),
      MetricFamily(
        "process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes.", value: usage.virtual.map(Double.init)),
      MetricFamily(
        "process_cpu_seconds_total", .counter, "User and system CPU time in seconds.", value: usage.cpuSeconds),
      MetricFamily("process_open_fds", .gauge, "Open file descriptors.", value: usage.openDescriptors.map(Double.init)),
      MetricFamily("process_max_fds", .gauge, "Most open file descriptors.", value: usage.descriptorLimit.map(Double.init)),
      MetricFamily("process_threads", .gauge, "Threads.", value: usage.threads.map(Double.init)),
      MetricFamily(
        "process_start_time_seconds", .gauge, "Start of the process, Unix seconds.", value: usage.started),
    ]
  }

  private static func sorted(_ counts: JSONValue?) -> [(String, Double)] {
    (counts?.object ?? [:]).compactMap { name, value in value.number.map { (name, $0) } }.sorted { $0.0 < $1.0 }
  }
}
