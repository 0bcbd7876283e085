// SPDX-License-Identifier: Apache-2.0
// A plugin that does what its settings say, rules broken on purpose among it. {"does": WORD} in the device's settings
// for add, poll and command, in the link's settings for open.
#define _POSIX_C_SOURCE 200809L
#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/store.h>
#include <busbar/ext/stream.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((bb_str_t)BB_STR(literal))

enum { POWER, COUNT, FLAG, STATE, NOTE, POINTS };

typedef struct {
  bb_link_id_t link;
  bb_point_id_t id[POINTS];
  char does[32];
  double round;
} state_t;

static const bb_stream_service_t *stream;
static const bb_config_service_t *config_service;
static const bb_store_service_t *store;
static const bb_diagnostics_service_t *diagnostics;
static int32_t closes; // links closed so far

static int is(const state_t *state, const char *word) { return strcmp(state->does, word) == 0; }

static void read_word(const bb_host_t *host, bb_str_t document, state_t *state) {
  uint32_t length = 0;
  char word[32] = "";
  if (config_service->get_text(host, document, TEXT("/does"), (uint8_t *)word, sizeof word - 1, &length) == BB_OK)
    memcpy(state->does, word, sizeof word);
}

static bb_status_t fixture_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **out) {
  stream = host->get_service(host, TEXT(BB_SERVICE_STREAM));
  config_service = host->get_service(host, TEXT(BB_SERVICE_CONFIG));
  store = host->get_service(host, TEXT(BB_SERVICE_STORE));
  diagnostics = host->get_service(host, TEXT(BB_SERVICE_DIAGNOSTICS));
  if (host->get_service(host, TEXT("busbar.telepathy/1"))) abort();
  state_t *state = *out = calloc(1, sizeof *state);
  state->link = config->link;
  read_word(host, config->config, state);
  if (is(state, "open-fails")) {
    host->explain(host, call, TEXT("the door is locked"));
    return BB_FAIL(BB_CLASS_AUTH, BB_REASON_PLUGIN);
  }
  if (is(state, "open-connects") || is(state, "open-twice")) {
    bb_stream_info_t info = {.size = sizeof info}, again = {.size = sizeof again};
    bb_status_t status = stream->open(host, call, state->link, TEXT("device"), &info);
    if (status < 0 || is(state, "open-connects")) return status;
    status = stream->open(host, call, state->link, TEXT("device"), &again);
    return status == BB_OK && again.fd != info.fd ? BB_FAIL(BB_CLASS_BUG, 1) : status;
  }
  if (is(state, "open-nowhere")) {
    bb_stream_info_t info = {.size = sizeof info};
    return stream->open(host, call, state->link, TEXT("upstairs"), &info);
  }
  return BB_OK;
}

static void fixture_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  char text[32];
  (void)call;
  closes++;
  snprintf(text, sizeof text, "closed %d", (int)closes);
  host->log(host, ((state_t *)state)->link, BB_LOG_NOTICE, (bb_str_t){text, (uint32_t)strlen(text), 0});
  free(state);
}

static bb_status_t fixture_add(const bb_host_t *host, const bb_call_t *call, void *link, const bb_device_config_t *config,
                               void **out) {
  state_t *state = link;
  (void)call;
  read_word(host, config->device_config, state);
  static const bb_point_desc_t points[POINTS] = {
      [POWER] = {.name = BB_STR("power"), .title = BB_STR("Power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W,
                 .resolution = 0.1, .flags = BB_POINT_WRITABLE, .minimum = -50, .maximum = 50, .period_ms = 2000,
                 .detail = BB_STR("{\"safe\": 0, \"allowed\": [99], \"lease_ms\": 60000, \"refresh_ms\": 5000}")},
      [COUNT] = {.name = BB_STR("cycles"), .type = BB_TYPE_I64, .kind = BB_KIND_COUNTER, .unit = BB_UNIT_ONE},
      [FLAG] = {.name = BB_STR("enabled"), .type = BB_TYPE_BOOL, .kind = BB_KIND_STATE, .flags = BB_POINT_WRITABLE | BB_POINT_SETTING},
      [STATE] = {.name = BB_STR("state"), .type = BB_TYPE_ENUM, .kind = BB_KIND_STATE, .flags = BB_POINT_WRITABLE,
                 .detail = BB_STR("{\"labels\": [\"off\", \"on\"]}")},
      [NOTE] = {.name = BB_STR("note"), .type = BB_TYPE_TEXT, .kind = BB_KIND_STATE, .flags = BB_POINT_WRITABLE}};
  bb_point_desc_t bad = points[POWER];
  if (is(state, "add-bad-name")) bad.name = TEXT("Power!");
  if (is(state, "add-no-type")) bad.type = 0;
  if (is(state, "add-bad-unit")) bad.unit = 999;
  if (strncmp(state->does, "add-", 4) == 0) {
    *out = malloc(1);
    return host->declare_points(host, state->link, config->device, &bad, 1, sizeof bad, state->id);
  }
  bb_status_t status = host->declare_points(host, state->link, config->device, points, POINTS, sizeof points[0], state->id);
  bb_point_id_t again[POINTS];
  host->declare_points(host, state->link, config->device, points, POINTS, sizeof points[0], again);
  if (memcmp(again, state->id, sizeof again) != 0) return BB_FAIL(BB_CLASS_BUG, 2); // idempotent by (device, name)
  if (is(state, "identifies")) {
    bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR(" Example \t\1 Inc "), .model = BB_STR("M\0X"),
                              .serial = BB_STR("S\xff-1")};
    host->identify(host, state->link, config->device, &identity);
  }
  return status;
}

static bb_sample_t sample(bb_point_id_t point, uint16_t type) { return (bb_sample_t){.point = point, .type = type}; }

static bb_status_t fixture_poll(const bb_host_t *host, const bb_call_t *call, void *link, bb_device_id_t device,
                                void *device_state, const bb_point_id_t *due, uint32_t count) {
  state_t *state = link;
  (void)device_state, (void)due, (void)count;
  state->round++;
  if (is(state, "fails")) {
    host->explain(host, call, TEXT("no power in the house"));
    return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT);
  }
  if (is(state, "waits")) return stream->pause(host, call, 60000);
  if (is(state, "strange-status")) return INT32_MIN;
  if (is(state, "too-much")) {
    if (host->batch_begin(host, state->link, 1025, 0, 0) || host->batch_begin(host, state->link, 1, 65537, 0)) return BB_FAIL(BB_CLASS_BUG, 3);
    return BB_OK;
  }
  if (is(state, "problem")) {
    diagnostics->problem(host, state->link, device, TEXT("DoorOpen"), state->round < 2, TEXT("shut it"));
    return BB_OK;
  }
  if (is(state, "stores")) {
    uint8_t found[8] = {0};
    uint32_t length = 0;
    bb_str_t key = TEXT("count");
    bb_status_t got = store->get(host, call, state->link, key, found, sizeof found, &length);
    if (state->round == 1 ? BB_CLASS_OF(got) != BB_CLASS_UNSUPPORTED : got != BB_OK || length != 2 || memcmp(found, "42", 2) != 0)
      return BB_FAIL(BB_CLASS_BUG, 4);
    return store->set(host, call, state->link, key, (bb_bytes_t){(const uint8_t *)"42", 2, 0});
  }
  // As long as a quick device takes to answer.
  if (is(state, "good-after-2-ms")) stream->pause(host, call, 2);
  bb_batch_t *batch = host->batch_begin(host, state->link, 8, 64, 0);
  if (!batch) return BB_FAIL(BB_CLASS_BUG, 5);
  if (is(state, "two-batches") && host->batch_begin(host, state->link, 8, 64, 0)) return BB_FAIL(BB_CLASS_BUG, 6);
  bb_sample_t *s = batch->samples;
  uint32_t n = 0;
  // In every mode but "forgets" there is one good value, so that a test sees that the rest was kept.
  s[n] = sample(state->id[POWER], BB_TYPE_F64);
  s[n++].value.f64 = state->round;
  if (is(state, "good") || is(state, "good-after-2-ms")) {
    s[n] = sample(state->id[COUNT], BB_TYPE_U64), s[n++].value.u64 = UINT64_MAX;
    s[n] = sample(state->id[FLAG], BB_TYPE_BOOL), s[n++].value.u64 = 1;
    s[n] = sample(state->id[STATE], BB_TYPE_ENUM), s[n++].value.i64 = 1;
    memcpy(batch->arena + 3, "gr\303\274n", 5);
    batch->arena_used = 8;
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){3, 5};
  } else if (is(state, "qualities")) {
    s[0].quality = BB_UNCERTAIN(BB_QUALITY_ESTIMATED);
    s[n] = sample(state->id[COUNT], 0), s[n++].quality = BB_BAD(BB_QUALITY_SILENT);
    s[n] = sample(state->id[FLAG], BB_TYPE_BOOL), s[n++].quality = BB_BAD(999);
    s[n] = sample(state->id[STATE], BB_TYPE_ENUM), s[n++].quality = BB_QUALITY_VERDICT | BB_QUALITY_DEVICE;
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].quality = BB_BAD(BB_QUALITY_LIMIT);
  } else if (is(state, "unknown-points")) {
    s[n++] = sample(0, BB_TYPE_F64), s[n++] = sample(9999, BB_TYPE_F64), s[n++] = sample(UINT32_MAX, BB_TYPE_F64);
  } else if (is(state, "not-finite")) {
    s[n] = sample(state->id[COUNT], BB_TYPE_F64), s[n++].value.f64 = NAN;
    s[n] = sample(state->id[COUNT], BB_TYPE_F64), s[n++].value.f64 = INFINITY;
  } else if (is(state, "wrong-types")) {
    s[n++] = sample(state->id[FLAG], BB_TYPE_F64), s[n++] = sample(state->id[COUNT], BB_TYPE_TEXT);
    s[n++] = sample(state->id[NOTE], BB_TYPE_I64), s[n++] = sample(state->id[COUNT], 0);
    s[n++] = sample(state->id[COUNT], 77);
  } else if (is(state, "labels")) {
    s[n] = sample(state->id[STATE], BB_TYPE_ENUM), s[n++].value.i64 = 2;
    s[n] = sample(state->id[STATE], BB_TYPE_ENUM), s[n++].value.i64 = -1;
    s[n] = sample(state->id[STATE], BB_TYPE_ENUM), s[n++].value.i64 = INT64_MIN;
  } else if (is(state, "arena")) {
    batch->arena_used = 8;
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){0, 9};
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){9, 1};
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){UINT32_MAX, 2};
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){2, UINT32_MAX};
  } else if (is(state, "arena-used-lies")) {
    batch->arena_used = batch->arena_capacity = UINT32_MAX;
    s[n] = sample(state->id[NOTE], BB_TYPE_TEXT), s[n++].value.span = (bb_span_t){1 << 20, 64};
  } else if (is(state, "count-lies")) {
    batch->capacity = UINT32_MAX;
    n = UINT32_MAX;
  } else if (is(state, "forgets")) {
    // The second time only the count is raised.
    n = 2;
    if (state->round < 2) s[1] = sample(state->id[COUNT], BB_TYPE_I64), s[1].value.i64 = 7;
    else s[0] = sample(state->id[POWER], BB_TYPE_F64), s[0].value.f64 = 2;
  } else if (is(state, "times")) {
    s[0].time_ns = 1700000000000000000, s[0].flags = BB_SAMPLE_DEVICE_TIME;
  }
  batch->count = n;
  if (is(state, "keeps-the-batch") && state->round < 2) return BB_OK;
  if (is(state, "foreign-batch")) {
    bb_batch_t copy = *batch;
    if (host->batch_commit(host, state->link, &copy) == BB_OK) return BB_FAIL(BB_CLASS_BUG, 7);
  }
  bb_status_t status = host->batch_commit(host, state->link, batch);
  if (is(state, "commits-twice") && host->batch_commit(host, state->link, batch) == BB_OK) return BB_FAIL(BB_CLASS_BUG, 8);
  return status;
}

// What was commanded comes back as the read-back value, with the key's first byte as the code.
static bb_status_t fixture_command(const bb_host_t *host, const bb_call_t *call, void *link, bb_device_id_t device,
                                   void *device_state, const bb_command_t *command, bb_outcome_t *outcome) {
  state_t *state = link;
  (void)device, (void)device_state;
  if (command->name.length) {
    char text[96];
    snprintf(text, sizeof text, "%.*s(%.*s)", (int)command->name.length, command->name.data, (int)command->arguments.length,
             command->arguments.data);
    host->explain(host, call, (bb_str_t){text, (uint32_t)strlen(text), 0});
    outcome->outcome = BB_OUTCOME_REFUSED;
    return BB_OK;
  }
  if (is(state, "fails")) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
  if (is(state, "silent")) return BB_OK; // no outcome
  if (is(state, "refuses")) {
    outcome->outcome = BB_OUTCOME_REFUSED;
    outcome->code = 2;
    return BB_OK;
  }
  if (is(state, "accepts")) {
    outcome->outcome = BB_OUTCOME_ACCEPTED;
    return BB_OK;
  }
  outcome->outcome = BB_OUTCOME_DONE;
  outcome->type = command->type;
  outcome->value = command->value;
  if (command->flags & BB_COMMAND_DRY_RUN) outcome->type = 0;
  if (command->type == BB_TYPE_TEXT) {
    outcome->type = BB_TYPE_I64;
    outcome->value.i64 = command->arguments.length;
  }
  if (is(state, "reads-back-nonsense")) {
    outcome->type = BB_TYPE_F64;
    outcome->value.f64 = NAN;
  }
  if (is(state, "key")) {
    outcome->type = BB_TYPE_I64;
    memcpy(&outcome->value.i64, command->key, 8);
  }
  return BB_OK;
}

static const bb_commands_interface_t commands = {.size = sizeof commands, .command = fixture_command};

static const void *get_interface(bb_str_t id) {
  return id.length == strlen(BB_INTERFACE_COMMANDS) && memcmp(id.data, BB_INTERFACE_COMMANDS, id.length) == 0 ? &commands : NULL;
}

static void fixture_remove(const bb_host_t *host, const bb_call_t *call, void *link, bb_device_id_t device, void *device_state) {
  (void)call, (void)device;
  host->log(host, ((state_t *)link)->link, BB_LOG_NOTICE, TEXT("device state freed"));
  free(device_state);
}

static const bb_adapter_t fixture = {.size = sizeof fixture, .id = BB_STR("fixture"), .open = fixture_open,
    .close = fixture_close, .device_add = fixture_add, .device_remove = fixture_remove, .poll = fixture_poll,
    .get_interface = get_interface};
static const bb_adapter_t empty = {.size = sizeof empty, .id = BB_STR("empty")};
static const bb_adapter_t *const adapters[] = {&fixture, &empty};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR("org.example.fixture"),
    .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 2};

BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) { return (void)host, &plugin; }

BB_MANIFEST_JSON({
  "id": "org.example.fixture", "version": "1.0.0", "abi": {"major": 0, "minor": 1},
  "requires": ["busbar.stream/1", "busbar.config/1", "busbar.store/1", "busbar.diagnostics/1"],
  "adapters": [{"id": "fixture", "endpoints": {"device": ["tcp"]}}, {"id": "empty"}]
});
