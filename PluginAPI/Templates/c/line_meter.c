// SPDX-License-Identifier: Apache-2.0
// A complete plugin in plain C: a small load that speaks one line at a time, over TCP or a serial line.
//
//   R\n         → <watts> <watt-hours> <state>\n      state: on, off, fault
//   I\n         → <model> <serial> <firmware>\n
//   L\n         → <limit in watts>\n
//   W <limit>\n → OK\n or NO\n
//
// Read it from the bottom up: the manifest and the entry are last, and everything else is reached from there.
#define _POSIX_C_SOURCE 200809L
#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/stream.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT(literal) ((bb_str_t)BB_STR(literal))

enum { POWER, ENERGY, STATE, LIMIT, POINTS };
static const char *const state_words[] = {"off", "on", "fault"}; // by index, as in the detail of `state` below

// One connection. The calls of a link come one at a time, so nothing here needs a lock.
typedef struct {
  bb_link_id_t link;
  int32_t fd;
  const bb_stream_service_t *stream;
  const bb_config_service_t *config;
  const bb_diagnostics_service_t *diagnostics; // may be NULL: the manifest does not require it
  bb_device_id_t device;                       // 0 = none yet
  uint32_t late;                               // an answer may still be under way
} line_t;

// The device behind it.
typedef struct {
  bb_point_id_t id[POINTS];
  double factor; // watts for each of the meter's own units
  double rated;  // W
  int32_t identified;
} meter_t;

static bb_str_t text_of(const char *text) { return (bb_str_t){text, (uint32_t)strlen(text), 0}; }

// Tells the person why, then fails. A class for the host, a sentence for the person.
static bb_status_t fail(const bb_host_t *host, const bb_call_t *call, uint32_t class_, const char *sentence) {
  host->explain(host, call, text_of(sentence));
  return BB_FAIL(class_, BB_REASON_PLUGIN);
}

static void problem(const bb_host_t *host, const line_t *line, int32_t active, const char *text) {
  if (line->diagnostics && BB_HAS(line->diagnostics, problem))
    line->diagnostics->problem(host, line->link, line->device, TEXT("GarbledAnswer"), active, text_of(text));
}

// Reads until the line is silent: the answer to an old question must not be taken for the answer to the next.
static bb_status_t drain(const bb_host_t *host, const bb_call_t *call, line_t *line) {
  uint8_t rest[256];
  bb_status_t status;
  do {
    uint32_t length = 0;
    status = line->stream->exchange(host, call, line->fd, (bb_bytes_t){0}, BB_UNTIL_QUIET, 100, rest, sizeof rest,
                                    &length);
    if (status == BB_OK && length < sizeof rest) line->late = 0;
    // The host ends this at the deadline.
  } while (line->late && (status == BB_OK || BB_REASON_OF(status) == BB_REASON_NO_SPACE));
  return status;
}

// One question and its answer, without the newline. An answer that is too long or not text comes back empty.
static bb_status_t ask(const bb_host_t *host, const bb_call_t *call, line_t *line, const char *question,
                       char answer[64]) {
  bb_bytes_t request = {(const uint8_t *)question, (uint32_t)strlen(question), 0};
  uint32_t length = 0;
  bb_status_t status = line->late ? drain(host, call, line) : BB_OK;
  answer[0] = 0;
  if (status < 0) return status;
  line->late = 1;
  status = line->stream->exchange(host, call, line->fd, request, BB_UNTIL_BYTE, '\n', (uint8_t *)answer, 64, &length);
  char *end = status == BB_OK ? memchr(answer, '\n', length) : NULL;
  if (end && !memchr(answer, 0, length)) {
    line->late = end + 1 != answer + length; // more than one answer: something old is among it
    *end = 0;
    return BB_OK;
  }
  answer[0] = 0;
  return status < 0 && BB_REASON_OF(status) == BB_REASON_NO_SPACE ? BB_OK : status;
}

static bb_status_t line_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config,
                             void **state) {
  line_t *line = *state = calloc(1, sizeof *line); // from here on the host calls line_close, also after a failure
  if (!line) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  line->link = config->link;
  line->stream = host->get_service(host, TEXT(BB_SERVICE_STREAM)); // required in the manifest: never NULL
  line->config = host->get_service(host, TEXT(BB_SERVICE_CONFIG));
  line->diagnostics = host->get_service(host, TEXT(BB_SERVICE_DIAGNOSTICS));
  bb_stream_info_t info = {.size = sizeof info};
  // TCP or serial: the person chose, the plugin need not know.
  bb_status_t status = line->stream->open(host, call, line->link, TEXT("device"), &info);
  line->fd = info.fd;
  return status;
}

static void line_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)host, (void)call; // the descriptor is the host's
  free(state);
}

// Declares what the device has, and checks settings against each other. The host has checked each one by the manifest.
static bb_status_t meter_add(const bb_host_t *host, const bb_call_t *call, void *state,
                             const bb_device_config_t *config, void **device_state) {
  line_t *line = state;
  if (line->device) return fail(host, call, BB_CLASS_CONFIG, "this connection has its one line meter already");
  char unit[8] = "", detail[64];
  uint32_t length = 0;
  double scale = 1, rated = 0, safe = 0;
  bb_str_t settings = config->device_config;
  bb_status_t status = line->config->get_text(host, settings, TEXT("/unit"), (uint8_t *)unit, sizeof unit - 1, &length);
  if (status == BB_OK) status = line->config->get_number(host, settings, TEXT("/scale"), &scale);
  if (status == BB_OK) status = line->config->get_number(host, settings, TEXT("/rated_power"), &rated);
  if (status == BB_OK) status = line->config->get_number(host, settings, TEXT("/safe_limit"), &safe);
  if (status < 0) return fail(host, call, BB_CLASS_CONFIG, "unit, scale, rated_power and safe_limit are needed");
  if (safe > rated) return fail(host, call, BB_CLASS_CONFIG, "safe_limit is above rated_power");
  snprintf(detail, sizeof detail, "{\"safe\": %.15g}", safe);
  const bb_point_desc_t points[POINTS] = {
      [POWER] = {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W,
                 .resolution = 0.1},
      [ENERGY] = {.name = BB_STR("energy_total"), .type = BB_TYPE_F64, .kind = BB_KIND_COUNTER, .unit = BB_UNIT_WH,
                  .resolution = 1},
      [STATE] = {.name = BB_STR("state"), .detail = BB_STR("{\"labels\": [\"off\", \"on\", \"fault\"]}"),
                 .type = BB_TYPE_ENUM, .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE},
      [LIMIT] = {.name = BB_STR("power_limit"), .detail = text_of(detail), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE,
                 .unit = BB_UNIT_W, .flags = BB_POINT_WRITABLE, .period_ms = 60000, .maximum = rated, .resolution = 1}};
  meter_t *meter = *device_state = calloc(1, sizeof *meter);
  if (!meter) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  meter->factor = scale * (strcmp(unit, "kW") == 0 ? 1000 : 1);
  meter->rated = rated;
  line->device = config->device;
  return host->declare_points(host, line->link, config->device, points, POINTS, sizeof points[0], meter->id);
}

static void meter_remove(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                         void *device_state) {
  (void)host, (void)call, (void)device;
  ((line_t *)state)->device = 0;
  free(device_state);
}

// Who it is. Asked again with the next poll where the answer makes no sense.
static bb_status_t identify(const bb_host_t *host, const bb_call_t *call, line_t *line, meter_t *meter) {
  char answer[64], model[24], serial[24], firmware[16];
  int end = 0;
  bb_status_t status = ask(host, call, line, "I\n", answer);
  if (status < 0) return status;
  line->late = sscanf(answer, "%23s %23s %15s%n", model, serial, firmware, &end) != 3 || answer[end];
  if (line->late) return BB_OK; // it may have been another question's answer
  bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR("Example"), .model = text_of(model),
                            .serial = text_of(serial), .firmware = text_of(firmware)};
  meter->identified = 1;
  return host->identify(host, line->link, line->device, &identity);
}

// "12.5" → 12.5. False where the whole text is not one finite number.
static int number(const char *text, double *value) {
  int end = 0;
  return sscanf(text, "%lf%n", value, &end) == 1 && !text[end] && isfinite(*value);
}

static bb_status_t meter_poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                              void *device_state, const bb_point_id_t *due, uint32_t count) {
  line_t *line = state;
  meter_t *meter = device_state;
  (void)device;
  // What could not be read is sent as bad, never as 0 and never as the old value.
  bb_sample_t now[POINTS];
  uint32_t wanted[POINTS] = {0}, samples = 0;
  for (uint32_t i = 0; i < POINTS; i++) {
    now[i] = (bb_sample_t){.point = meter->id[i], .type = i == STATE ? BB_TYPE_ENUM : BB_TYPE_F64,
                           .quality = BB_BAD(BB_QUALITY_DECODE)};
    for (uint32_t k = 0; k < count; k++) wanted[i] |= due[k] == meter->id[i];
    samples += wanted[i];
  }
  if (samples == 0) return BB_OK;
  bb_status_t status = meter->identified ? BB_OK : identify(host, call, line, meter);
  if (status < 0) return status; // the host knows why, and says so to the person
  char answer[64], word[8];
  double watts = 0, watt_hours = 0, limit = 0;
  int end = 0, good = 1;
  if (wanted[POWER] || wanted[ENERGY] || wanted[STATE]) {
    if ((status = ask(host, call, line, "R\n", answer)) < 0) return status;
    good = sscanf(answer, "%lf %lf %7s%n", &watts, &watt_hours, word, &end) == 3 && !answer[end] && isfinite(watts) &&
           isfinite(watt_hours) && watt_hours >= 0;
    if (good) {
      now[POWER].quality = now[ENERGY].quality = BB_QUALITY_GOOD;
      now[POWER].value.f64 = watts * meter->factor;
      now[ENERGY].value.f64 = watt_hours * meter->factor;
      for (int64_t k = 0; k < 3; k++)
        if (strcmp(word, state_words[k]) == 0) now[STATE].quality = BB_QUALITY_GOOD, now[STATE].value.i64 = k;
    }
  }
  if (wanted[LIMIT]) {
    if ((status = ask(host, call, line, "L\n", answer)) < 0) return status;
    if (number(answer, &limit)) now[LIMIT].quality = BB_QUALITY_GOOD, now[LIMIT].value.f64 = limit * meter->factor;
    else good = 0;
  }
  if (!good) line->late = 1; // it may have been another question's answer
  problem(host, line, !good, good ? "" : answer);
  bb_batch_t *batch = host->batch_begin(host, line->link, samples, 0, 0);
  if (!batch) return BB_OK; // the host is busy: next time
  for (uint32_t i = 0; i < POINTS; i++)
    if (wanted[i]) batch->samples[batch->count++] = now[i];
  return host->batch_commit(host, line->link, batch);
}

static bb_status_t refused(const bb_host_t *host, const bb_call_t *call, bb_outcome_t *outcome, const char *sentence) {
  host->explain(host, call, text_of(sentence));
  outcome->outcome = BB_OUTCOME_REFUSED;
  return BB_OK;
}

// The host has checked range, lease and permission. The same key twice sets the same limit twice: nothing to remember.
static bb_status_t meter_command(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                                 void *device_state, const bb_command_t *command, bb_outcome_t *outcome) {
  line_t *line = state;
  meter_t *meter = device_state;
  char question[40], answer[64];
  struct timespec now;
  (void)device;
  double watts = command->type == BB_TYPE_F64 ? command->value.f64 : (double)command->value.i64;
  if (command->point != meter->id[LIMIT]) return refused(host, call, outcome, "only power_limit can be written");
  int is_number = command->type == BB_TYPE_F64 || command->type == BB_TYPE_I64;
  if (!is_number || !(watts >= 0 && watts <= meter->rated)) // refuses NaN too
    return refused(host, call, outcome, "power_limit is a number of watts from 0 to rated_power");
  clock_gettime(CLOCK_BOOTTIME, &now);
  if (now.tv_sec * INT64_C(1000000000) + now.tv_nsec > command->valid_until_ns)
    return refused(host, call, outcome, "too late");
  outcome->outcome = BB_OUTCOME_DONE;
  if (command->flags & BB_COMMAND_DRY_RUN) return BB_OK; // checked, and nothing sent
  snprintf(question, sizeof question, "W %.15g\n", watts / meter->factor);
  bb_status_t status = ask(host, call, line, question, answer);
  if (status == BB_OK && strcmp(answer, "NO") == 0) return refused(host, call, outcome, "the meter says no");
  outcome->outcome = BB_OUTCOME_UNKNOWN; // it may have left: never guess
  line->late = status < 0 || strcmp(answer, "OK") != 0;
  if (line->late) return BB_OK;
  outcome->outcome = BB_OUTCOME_ACCEPTED;
  double limit;
  line->late = ask(host, call, line, "L\n", answer) < 0 || !number(answer, &limit);
  if (line->late) return BB_OK;
  outcome->outcome = BB_OUTCOME_DONE;
  outcome->type = BB_TYPE_F64;
  outcome->value.f64 = limit * meter->factor;
  return BB_OK;
}

static const bb_commands_interface_t commands = {.size = sizeof commands, .command = meter_command};

static const void *get_interface(bb_str_t id) {
  if (id.length == strlen(BB_INTERFACE_COMMANDS) && memcmp(id.data, BB_INTERFACE_COMMANDS, id.length) == 0)
    return &commands;
  return NULL; // the host does without what is not here
}

static const bb_adapter_t line_meter = {.size = sizeof line_meter, .id = BB_STR("line-meter"), .open = line_open,
    .close = line_close, .device_add = meter_add, .device_remove = meter_remove, .poll = meter_poll,
    .get_interface = get_interface};
static const bb_adapter_t *const adapters[] = {&line_meter};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR("org.example.line"),
    .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 1};

// The one exported function.
BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
  return BB_ABI_MAJOR_OF(host->abi) == BB_ABI_MAJOR ? &plugin : NULL;
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
