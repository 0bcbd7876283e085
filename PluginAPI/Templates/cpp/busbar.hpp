// SPDX-License-Identifier: Apache-2.0
// A thin C++20 layer over the C contract: failures are thrown inside the plugin and never leave it, links and devices are
// objects, tables are made once. Header only; it belongs to the plugin, so change what does not fit.
#ifndef BUSBAR_HPP
#define BUSBAR_HPP

#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/stream.h>

#include <array>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <time.h>
#include <utility>

namespace busbar {

// What a call failed with: a class for the host, a sentence for a person.
struct Failure {
  bb_status_t status;
  std::string sentence;
  Failure(bb_status_t from_host) : status(from_host) {} // the host has explained it
  Failure(uint32_t class_, std::string text) : status(BB_FAIL(class_, BB_REASON_PLUGIN)), sentence(std::move(text)) {}
};

inline bb_str_t lent(std::string_view text) { return {text.data(), static_cast<uint32_t>(text.size()), 0}; }
inline std::string_view view(bb_str_t text) { return {text.data ? text.data : "", text.length}; }
inline void check(bb_status_t status) {
  if (status < 0) throw Failure(status);
}

// CLOCK_BOOTTIME in nanoseconds, the clock of deadlines.
inline int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// One call from the host: valid until the method returns.
struct Call {
  const bb_host_t *host;
  const bb_call_t *call;

  void explain(std::string_view sentence) const { host->explain(host, call, lent(sentence)); }

  template <class Table> const Table *service(const char *id) const {
    return static_cast<const Table *>(host->get_service(host, lent(id)));
  }

  // A setting of a JSON document by pointer; nothing where there is none.
  std::optional<double> number(bb_str_t document, const char *pointer) const {
    double value = 0;
    const auto *config = service<bb_config_service_t>(BB_SERVICE_CONFIG);
    if (!config || config->get_number(host, document, lent(pointer), &value) < 0) return {};
    return value;
  }

  std::optional<std::string> text(bb_str_t document, const char *pointer) const {
    std::array<char, 256> out;
    uint32_t length = 0;
    const auto *config = service<bb_config_service_t>(BB_SERVICE_CONFIG);
    if (!config || config->get_text(host, document, lent(pointer), reinterpret_cast<uint8_t *>(out.data()), out.size(), &length) < 0)
      return {};
    return std::string(out.data(), length);
  }
};

// What a poll hands over. A sample that is not set stays bad with the reason that it was made with.
struct Sample : bb_sample_t {
  Sample(bb_point_id_t id, uint16_t kind, uint16_t reason) : bb_sample_t{} {
    point = id, type = kind, quality = BB_BAD(reason);
  }
  void good(double number) { quality = BB_QUALITY_GOOD, value.f64 = number; }
  void label(int64_t index) { quality = BB_QUALITY_GOOD, value.i64 = index; }
};

// All samples of a poll in one batch.
inline bb_status_t commit(const Call &call, bb_link_id_t link, std::span<const Sample> samples) {
  bb_batch_t *batch = call.host->batch_begin(call.host, link, static_cast<uint32_t>(samples.size()), 0, 0);
  if (!batch) return BB_OK; // the host is busy: next time
  for (const Sample &sample : samples) batch->samples[batch->count++] = sample;
  return call.host->batch_commit(call.host, link, batch);
}

// Runs `body`; whatever it throws becomes a status and a sentence.
template <class Body> bb_status_t guarded(const Call &call, Body body) noexcept {
  try {
    return body();
  } catch (const Failure &failure) {
    if (!failure.sentence.empty()) call.explain(failure.sentence);
    return failure.status;
  } catch (const std::bad_alloc &) {
    return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  } catch (const std::exception &error) {
    call.explain(error.what());
    return BB_FAIL(BB_CLASS_BUG, BB_REASON_PLUGIN);
  } catch (...) {
    return BB_FAIL(BB_CLASS_BUG, BB_REASON_PLUGIN);
  }
}

// The C tables of an adapter. `Link` is constructed by open and has a `Device`, and the methods
//   std::unique_ptr<Device> add(const Call &, const bb_device_config_t &)   void remove(Device &)
//   bb_status_t poll(const Call &, Device &, std::span<const bb_point_id_t>)
//   void command(const Call &, Device &, const bb_command_t &, bb_outcome_t &)
template <class Link> struct Adapter {
  using Device = typename Link::Device;

  static bb_status_t open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **state) {
    const Call now{host, call};
    return guarded(now, [&] {
      *state = new Link(now, *config);
      return bb_status_t{BB_OK};
    });
  }
  static void close(const bb_host_t *, const bb_call_t *, void *state) { delete static_cast<Link *>(state); }

  static bb_status_t add(const bb_host_t *host, const bb_call_t *call, void *state, const bb_device_config_t *config, void **device) {
    const Call now{host, call};
    return guarded(now, [&] {
      *device = static_cast<Link *>(state)->add(now, *config).release();
      return bb_status_t{BB_OK};
    });
  }
  static void remove(const bb_host_t *, const bb_call_t *, void *state, bb_device_id_t, void *device) {
    const std::unique_ptr<Device> owned(static_cast<Device *>(device));
    static_cast<Link *>(state)->remove(*owned);
  }
  static bb_status_t poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t, void *device,
                          const bb_point_id_t *due, uint32_t count) {
    const Call now{host, call};
    return guarded(now, [&] { return static_cast<Link *>(state)->poll(now, *static_cast<Device *>(device), {due, count}); });
  }
  static bb_status_t command(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t, void *device,
                             const bb_command_t *command, bb_outcome_t *outcome) {
    const Call now{host, call};
    return guarded(now, [&] {
      static_cast<Link *>(state)->command(now, *static_cast<Device *>(device), *command, *outcome);
      return bb_status_t{BB_OK};
    });
  }
  static const void *interface(bb_str_t id) {
    static constexpr bb_commands_interface_t commands{.size = sizeof commands, .reserved = 0, .command = command};
    return view(id) == BB_INTERFACE_COMMANDS ? &commands : nullptr; // the host does without what is not here
  }
};

} // namespace busbar

#endif
