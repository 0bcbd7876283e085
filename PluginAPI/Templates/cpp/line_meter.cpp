// SPDX-License-Identifier: Apache-2.0
// A complete plugin in C++20: a small load that speaks one line at a time, over TCP or a serial line.
//
//   R\n         → <watts> <watt-hours> <state>\n      state: on, off, fault
//   I\n         → <model> <serial> <firmware>\n
//   L\n         → <limit in watts>\n
//   W <limit>\n → OK\n or NO\n
//
// Read it from the bottom up: the manifest and the entry are last, and everything else is reached from there.
#include "busbar.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>

namespace {

using busbar::Call, busbar::Failure, busbar::Sample, busbar::lent;

enum { POWER, ENERGY, STATE, LIMIT, POINTS };
constexpr std::array<std::string_view, 3> state_words{"off", "on", "fault"}; // by index, as in the detail of `state` below

// "12.5" → 12.5. Nothing where the whole text is not one finite number.
std::optional<double> number(const std::string &text) {
  double value = 0;
  int end = 0;
  if (std::sscanf(text.c_str(), "%lf%n", &value, &end) != 1 || text[static_cast<size_t>(end)] || !std::isfinite(value)) return {};
  return value;
}

// One connection. The calls of a link come one at a time, so nothing here needs a lock.
class Line {
public:
  // The device behind it.
  struct Device {
    bb_device_id_t number;
    std::array<bb_point_id_t, POINTS> id{};
    double factor; // watts for each of the meter's own units
    double rated;  // W
    bool identified = false;
  };

  Line(const Call &call, const bb_link_config_t &config)
      : link(config.link), stream(call.service<bb_stream_service_t>(BB_SERVICE_STREAM)), // required in the manifest
        diagnostics(call.service<bb_diagnostics_service_t>(BB_SERVICE_DIAGNOSTICS)) {
    bb_stream_info_t info{};
    info.size = sizeof info;
    // TCP or serial: the person chose, the plugin need not know.
    busbar::check(stream->open(call.host, call.call, link, lent("device"), &info));
    fd = info.fd;
  }

  // Declares what the device has, and checks settings against each other. The host has checked each one by the manifest.
  std::unique_ptr<Device> add(const Call &call, const bb_device_config_t &config) {
    if (has_device) throw Failure(BB_CLASS_CONFIG, "this connection has its one line meter already");
    const auto unit = call.text(config.device_config, "/unit");
    const auto scale = call.number(config.device_config, "/scale"), rated = call.number(config.device_config, "/rated_power"),
               safe = call.number(config.device_config, "/safe_limit");
    if (!unit || !scale || !rated || !safe)
      throw Failure(BB_CLASS_CONFIG, "unit, scale, rated_power and safe_limit are needed");
    if (*safe > *rated) throw Failure(BB_CLASS_CONFIG, "safe_limit is above rated_power");
    std::array<char, 64> detail;
    std::snprintf(detail.data(), detail.size(), "{\"safe\": %.15g}", *safe);
    std::array<bb_point_desc_t, POINTS> points{};
    const auto declare = [&](int point, std::string_view name, uint16_t type, uint16_t kind, uint16_t unit_, double resolution) {
      points[point].name = lent(name), points[point].type = type, points[point].kind = kind, points[point].unit = unit_;
      points[point].resolution = resolution;
    };
    declare(POWER, "power", BB_TYPE_F64, BB_KIND_GAUGE, BB_UNIT_W, 0.1);
    declare(ENERGY, "energy_total", BB_TYPE_F64, BB_KIND_COUNTER, BB_UNIT_WH, 1);
    declare(STATE, "state", BB_TYPE_ENUM, BB_KIND_STATE, BB_UNIT_NONE, 0);
    declare(LIMIT, "power_limit", BB_TYPE_F64, BB_KIND_GAUGE, BB_UNIT_W, 1);
    points[STATE].detail = lent("{\"labels\": [\"off\", \"on\", \"fault\"]}");
    points[LIMIT].detail = lent(detail.data());
    points[LIMIT].flags = BB_POINT_WRITABLE, points[LIMIT].period_ms = 60000, points[LIMIT].maximum = *rated;
    auto device = std::make_unique<Device>(Device{config.device, {}, *scale * (*unit == "kW" ? 1000 : 1), *rated});
    busbar::check(call.host->declare_points(call.host, link, config.device, points.data(), POINTS, sizeof points[0],
                                            device->id.data()));
    has_device = true;
    return device;
  }

  void remove(Device &) { has_device = false; }

  bb_status_t poll(const Call &call, Device &device, std::span<const bb_point_id_t> due) {
    const auto wanted = [&](int point) {
      for (bb_point_id_t id : due)
        if (id == device.id[point]) return true;
      return false;
    };
    if (!wanted(POWER) && !wanted(ENERGY) && !wanted(STATE) && !wanted(LIMIT)) return BB_OK;
    if (!device.identified) identify(call, device);
    // What could not be read is sent as bad, never as 0 and never as the old value.
    std::array<Sample, POINTS> now{
        Sample{device.id[POWER], BB_TYPE_F64, BB_QUALITY_DECODE}, Sample{device.id[ENERGY], BB_TYPE_F64, BB_QUALITY_DECODE},
        Sample{device.id[STATE], BB_TYPE_ENUM, BB_QUALITY_DECODE}, Sample{device.id[LIMIT], BB_TYPE_F64, BB_QUALITY_DECODE}};
    bool good = true;
    std::string answer;
    if (wanted(POWER) || wanted(ENERGY) || wanted(STATE)) {
      answer = ask(call, "R\n");
      double watts = 0, watt_hours = 0;
      std::array<char, 8> word;
      int end = 0;
      good = std::sscanf(answer.c_str(), "%lf %lf %7s%n", &watts, &watt_hours, word.data(), &end) == 3 &&
             !answer[static_cast<size_t>(end)] && std::isfinite(watts) && std::isfinite(watt_hours) && watt_hours >= 0;
      if (good) {
        now[POWER].good(watts * device.factor), now[ENERGY].good(watt_hours * device.factor);
        for (size_t k = 0; k < state_words.size(); k++)
          if (state_words[k] == word.data()) now[STATE].label(static_cast<int64_t>(k));
      }
    }
    if (wanted(LIMIT)) {
      answer = ask(call, "L\n");
      if (const auto limit = number(answer)) now[LIMIT].good(*limit * device.factor);
      else good = false;
    }
    if (!good) late = true; // it may have been another question's answer
    problem(call, device, !good, good ? "" : answer);
    std::array<Sample, POINTS> chosen = now;
    size_t count = 0;
    for (int point = 0; point < POINTS; point++)
      if (wanted(point)) chosen[count++] = now[point];
    return busbar::commit(call, link, {chosen.data(), count});
  }

  // The host has checked range, lease and permission. The same key twice sets the same limit twice: nothing to remember.
  void command(const Call &call, Device &device, const bb_command_t &command, bb_outcome_t &outcome) {
    const auto refuse = [&](std::string_view sentence) {
      call.explain(sentence);
      outcome.outcome = BB_OUTCOME_REFUSED;
    };
    if (command.point != device.id[LIMIT]) return refuse("only power_limit can be written");
    const bool is_number = command.type == BB_TYPE_F64 || command.type == BB_TYPE_I64;
    const double watts = command.type == BB_TYPE_F64 ? command.value.f64 : static_cast<double>(command.value.i64);
    if (!is_number || !(watts >= 0 && watts <= device.rated)) // refuses NaN too
      return refuse("power_limit is a number of watts from 0 to rated_power");
    if (busbar::now() > command.valid_until_ns) return refuse("too late");
    outcome.outcome = BB_OUTCOME_DONE;
    if (command.flags & BB_COMMAND_DRY_RUN) return; // checked, and nothing sent
    std::array<char, 40> question;
    std::snprintf(question.data(), question.size(), "W %.15g\n", watts / device.factor);
    outcome.outcome = BB_OUTCOME_UNKNOWN; // it may have left: never guess
    const auto said = try_ask(call, question.data());
    if (said == "NO") return refuse("the meter says no");
    if (said != "OK") {
      late = true;
      return;
    }
    outcome.outcome = BB_OUTCOME_ACCEPTED;
    const auto read = try_ask(call, "L\n");
    const auto limit = read ? number(*read) : std::nullopt;
    if (!limit) {
      late = true;
      return;
    }
    outcome.outcome = BB_OUTCOME_DONE;
    outcome.type = BB_TYPE_F64;
    outcome.value.f64 = *limit * device.factor;
  }

private:
  // Reads until the line is silent: the answer to an old question must not be taken for the answer to the next.
  void drain(const Call &call) {
    std::array<uint8_t, 256> rest;
    while (late) {
      uint32_t length = 0;
      const bb_status_t status =
          stream->exchange(call.host, call.call, fd, {}, BB_UNTIL_QUIET, 100, rest.data(), rest.size(), &length);
      if (status < 0 && BB_REASON_OF(status) != BB_REASON_NO_SPACE) throw Failure(status);
      if (status == BB_OK && length < rest.size()) late = false;
      // The host ends this at the deadline.
    }
  }

  // One question and its answer, without the newline. An answer that is too long or not text comes back empty.
  std::string ask(const Call &call, std::string_view question) {
    std::array<char, 64> answer;
    drain(call);
    late = true; // an answer may still be under way
    uint32_t length = 0;
    const bb_status_t status = stream->exchange(
        call.host, call.call, fd, {reinterpret_cast<const uint8_t *>(question.data()), static_cast<uint32_t>(question.size()), 0},
        BB_UNTIL_BYTE, '\n', reinterpret_cast<uint8_t *>(answer.data()), answer.size(), &length);
    if (status < 0 && BB_REASON_OF(status) == BB_REASON_NO_SPACE) return {};
    busbar::check(status);
    const std::string_view all(answer.data(), length);
    const size_t end = all.find('\n');
    if (end == all.npos || all.find('\0') != all.npos) return {};
    late = end + 1 != length; // more than one answer: something old is among it
    return std::string(all.substr(0, end));
  }

  std::optional<std::string> try_ask(const Call &call, std::string_view question) {
    try {
      return ask(call, question);
    } catch (const Failure &) {
      return {};
    }
  }

  // Who it is. Asked again with the next poll where the answer makes no sense.
  void identify(const Call &call, Device &device) {
    std::array<char, 24> model, serial;
    std::array<char, 16> firmware;
    int end = 0;
    const std::string answer = ask(call, "I\n");
    if (std::sscanf(answer.c_str(), "%23s %23s %15s%n", model.data(), serial.data(), firmware.data(), &end) != 3 ||
        answer[static_cast<size_t>(end)]) {
      late = true; // it may have been another question's answer
      return;
    }
    bb_identity_t identity{};
    identity.size = sizeof identity;
    identity.vendor = lent("Example");
    identity.model = lent(model.data());
    identity.serial = lent(serial.data());
    identity.firmware = lent(firmware.data());
    device.identified = true;
    busbar::check(call.host->identify(call.host, link, device.number, &identity));
  }

  void problem(const Call &call, const Device &device, bool active, std::string_view text) const {
    if (diagnostics && BB_HAS(diagnostics, problem))
      diagnostics->problem(call.host, link, device.number, lent("GarbledAnswer"), active, lent(text));
  }

  bb_link_id_t link;
  int32_t fd = -1;
  const bb_stream_service_t *stream;
  const bb_diagnostics_service_t *diagnostics; // may be null: the manifest does not require it
  bool has_device = false;
  bool late = false;
};

using Meter = busbar::Adapter<Line>;
constexpr bb_adapter_t adapter{.size = sizeof adapter, .flags = 0, .id = BB_STR("line-meter"), .open = Meter::open,
                               .close = Meter::close, .device_add = Meter::add, .device_remove = Meter::remove,
                               .poll = Meter::poll, .get_interface = Meter::interface};
constexpr const bb_adapter_t *adapters[] = {&adapter};
constexpr bb_plugin_t plugin{.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR("org.example.line"),
                             .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 1, .reserved = 0};

} // namespace

// The one exported function.
extern "C" BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
  return BB_ABI_MAJOR_OF(host->abi) == BB_ABI_MAJOR ? &plugin : nullptr;
}

// What the host knows without running any of this: it lies in a section of the file.
BB_MANIFEST_JSON({
  "id": "org.example.line",
  "version": "1.0.0",
  "title": "Line meter",
  "abi": {"major": 0, "minor": 1},
  "requires": ["busbar.stream/1", "busbar.config/1"],
  "permissions": ["endpoint:tcp", "endpoint:serial"],
  "adapters": [{
    "id": "line-meter",
    "title": "Line meter",
    "endpoints": {"device": ["tcp", "serial"]},
    "kinds": ["load"],
    "points": ["power", "energy_total", "state", "power_limit"],
    "link": {"type": "object", "properties": {}, "additionalProperties": false},
    "config": {
      "type": "object",
      "properties": {
        "unit": {"type": "string", "enum": ["W", "kW"], "default": "W", "title": "Unit of the meter",
                 "description": "What the meter counts in: W and Wh, or kW and kWh."},
        "scale": {"type": "number", "minimum": 0.001, "maximum": 10000, "default": 1, "title": "Scale",
                  "description": "The ratio of a current transformer in front of the meter."},
        "rated_power": {"type": "number", "minimum": 1, "maximum": 100000, "default": 3000,
                        "title": "Rated power in W"},
        "safe_limit": {"type": "number", "minimum": 0, "maximum": 100000, "default": 1000, "title": "Safe limit in W",
                       "description": "What the load may draw when nobody is in charge of it."}
      },
      "additionalProperties": false
    }
  }]
});
