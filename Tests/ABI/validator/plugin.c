// SPDX-License-Identifier: Apache-2.0
// A plugin for the line meter that keeps every rule, but for the one named by FAULT, which is the name of the validator's
// case that has to notice, or CASE/WAY where a rule can be broken in several ways. The manifest is put in afterwards (build.py).
#define _GNU_SOURCE
#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/stream.h>

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef FAULT
#define FAULT "none"
#endif
#ifndef ABI
#define ABI BB_ABI_VERSION
#endif
#define BROKEN(name) (strcmp(FAULT, name) == 0)
#define TEXT(literal) ((bb_str_t)BB_STR(literal))

enum { POWER, ENERGY, STATE, LIMIT, NOTE, POINTS };

typedef struct {
  bb_link_id_t link;
  int32_t fd, own, late, dead;
  const bb_stream_service_t *stream;
  const bb_diagnostics_service_t *diagnostics;
  bb_point_id_t id[POINTS];
  uint32_t devices, polls, commands;
  double last[POINTS];
  bb_str_t kept;
} line_t;

static int open_links; // of the process
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static volatile size_t sink;

static bb_str_t text_of(const char *text) { return (bb_str_t){text, (uint32_t)strlen(text), 0}; }

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void nap(int64_t nanoseconds) {
  struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  if (nanoseconds > 0) nanosleep(&time, NULL);
}

static bb_status_t fail(const bb_host_t *host, const bb_call_t *call, uint32_t class_, const char *sentence) {
  host->explain(host, call, text_of(sentence));
  return BB_FAIL(class_, BB_REASON_PLUGIN);
}

static bb_status_t ask(const bb_host_t *host, const bb_call_t *call, line_t *line, const char *question, char answer[64]) {
  uint32_t length = 0;
  uint8_t rest[256];
  bb_status_t status = BB_OK;
  answer[0] = 0;
  while (line->late) {
    status = line->stream->exchange(host, call, line->fd, (bb_bytes_t){0}, BB_UNTIL_QUIET, 60, rest, sizeof rest, &length);
    if (status == BB_OK && length < sizeof rest) line->late = 0;
    else if (status < 0 && BB_REASON_OF(status) != BB_REASON_NO_SPACE) return status;
  }
  line->late = 1;
  bb_bytes_t request = {(const uint8_t *)question, (uint32_t)strlen(question), 0};
  if (BROKEN("truncated-answers")) { // takes what came for an answer
    status = line->stream->exchange(host, call, line->fd, request, BB_UNTIL_SOME, 0, (uint8_t *)answer, 63, &length);
    answer[status < 0 ? 0 : length] = 0;
    answer[strcspn(answer, "\n")] = 0;
    line->late = status < 0;
    return status;
  }
  status = line->stream->exchange(host, call, line->fd, request, BB_UNTIL_BYTE, '\n', (uint8_t *)answer, 64, &length);
  if (BROKEN("delayed-answers")) line->late = 0;
  if (BROKEN("endless-answers") && length >= 63) { // keeps all that comes
    void *kept = malloc(2 << 20);
    if (kept) sink += (size_t)(uintptr_t)memset(kept, 1, 2 << 20);
  }
  char *end = status == BB_OK ? memchr(answer, '\n', length) : NULL;
  if (end && !memchr(answer, 0, length)) {
    line->late = !BROKEN("doubled-answers") && !BROKEN("delayed-answers") && end + 1 != answer + length;
    *end = 0;
    return BB_OK;
  }
  answer[0] = 0;
  return status < 0 && BB_REASON_OF(status) == BB_REASON_NO_SPACE ? BB_OK : status;
}

static int is_text(const char *answer) {
  for (; *answer; answer++)
    if (*answer < ' ' || *answer > '~') return 0;
  return 1;
}

// In the sandbox of a child no socket can be made.
static int is_isolated(void) {
  int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made >= 0) close(made);
  return made < 0;
}

static bb_status_t line_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **state) {
  if (BROKEN("two-links-at-once") && open_links > 0) return fail(host, call, BB_CLASS_CONFIG, "there is a link already");
  if (BROKEN("fifty-links-in-parallel") && open_links > 9) return fail(host, call, BB_CLASS_CONFIG, "too many links");
  if (BROKEN("longer-tables") && host->size != sizeof *host) return fail(host, call, BB_CLASS_CONFIG, "unknown host");
  if (BROKEN("oldest-host")) sink += ((const size_t *)(const void *)host)[sizeof *host / sizeof(size_t)];
  line_t *line = *state = calloc(1, sizeof *line);
  if (!line) return BB_FAIL(BB_CLASS_TRANSIENT, 1);
  __atomic_add_fetch(&open_links, 1, __ATOMIC_SEQ_CST);
  line->link = config->link;
  line->own = BROKEN("opens-nothing-itself") ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
  line->stream = host->get_service(host, TEXT(BB_SERVICE_STREAM));
  line->diagnostics = host->get_service(host, TEXT(BB_SERVICE_DIAGNOSTICS));
  bb_stream_info_t info = {.size = sizeof info};
  bb_status_t status = line->stream->open(host, call, line->link, TEXT("device"), &info);
  line->fd = info.fd;
  if (status < 0 && BROKEN("open-fails-cleanly")) return fail(host, call, BB_CLASS_CONFIG, "nobody there");
  return status;
}

static void line_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  line_t *line = state;
  (void)host, (void)call;
  __atomic_sub_fetch(&open_links, 1, __ATOMIC_SEQ_CST);
  if (line->own >= 0) close(line->own);
  if (BROKEN("opens-nothing-itself/closes")) close(line->fd);
  if (!BROKEN("open-close-without-growth")) free(line);
}

static bb_status_t meter_add(const bb_host_t *host, const bb_call_t *call, void *state, const bb_device_config_t *config,
                             void **device_state) {
  line_t *line = state;
  (void)device_state;
  if (line->devices++ > 0 && BROKEN("devices-come-and-go")) return fail(host, call, BB_CLASS_CONFIG, "once is enough");
  if (BROKEN("reads-no-further")) sink += strlen(config->device_config.data);
  line->kept = config->device_config;
  bb_point_desc_t points[POINTS] = {
      {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W, .resolution = 0.1},
      {.name = BB_STR("energy_total"), .type = BB_TYPE_F64, .kind = BB_KIND_COUNTER, .unit = BB_UNIT_WH, .resolution = 1},
      {.name = BB_STR("state"), .detail = BB_STR("{\"labels\": [\"off\", \"on\", \"fault\"]}"), .type = BB_TYPE_ENUM,
       .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE},
      {.name = BB_STR("power_limit"), .detail = BB_STR("{\"safe\": 1000}"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE,
       .unit = BB_UNIT_W, .flags = BB_POINT_WRITABLE, .maximum = 3000, .resolution = 1},
      {.name = BB_STR("note"), .type = BB_TYPE_TEXT, .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE}};
  if (BROKEN("points-well-declared")) points[LIMIT].detail = (bb_str_t){0};
  if (BROKEN("points-in-manifest")) points[NOTE].name = TEXT("remark");
  if (BROKEN("units-match-quantity")) points[POWER].unit = BB_UNIT_VA;
  uint32_t count = BROKEN("open-and-read") ? 0 : POINTS;
  return host->declare_points(host, line->link, config->device, points, count, sizeof points[0], line->id);
}

typedef struct {
  const bb_host_t *host;
  bb_link_id_t link;
} stranger_t;

static void *from_another_thread(void *argument) {
  stranger_t *stranger = argument;
  bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR("Nobody")};
  stranger->host->identify(stranger->host, stranger->link, 1, &identity);
  return NULL;
}

static void misbehave(const bb_host_t *host, line_t *line) {
  if (BROKEN("leaves-process-alone")) setenv("BUSBAR_WAS_HERE", line->polls % 2 ? "yes" : "no", 1);
  if (BROKEN("keeps-nothing"))
    for (uint32_t i = 0; i < line->kept.length; i++) sink += (size_t)line->kept.data[i];
  if (BROKEN("tags-obeyed")) {
    pthread_t thread;
    stranger_t stranger = {host, line->link};
    if (pthread_create(&thread, NULL, from_another_thread, &stranger) == 0) pthread_join(thread, NULL);
  }
  if (BROKEN("no-optional-service")) sink += line->diagnostics->size;
}

static bb_status_t read_meter(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                              void *device_state, const bb_point_id_t *due, uint32_t count) {
  line_t *line = state;
  char answer[64], word[8] = "";
  double watts = 0, watt_hours = 0, limit = 0;
  int end = 0, good = 0, limit_good = 0;
  (void)device, (void)device_state;
  line->polls++;
  if (BROKEN("isolated-recovers") && line->dead && is_isolated()) return fail(host, call, BB_CLASS_CONFIG, "once is enough");
  if (count == 0) return BB_OK;
  misbehave(host, line);
  if (line->dead && !BROKEN("isolated-recovers")) return fail(host, call, BB_CLASS_TRANSIENT, "it was silent once");
  bb_status_t status = ask(host, call, line, "R\n", answer);
  if (status == BB_OK) {
    good = sscanf(answer, "%lf %lf %7s%n", &watts, &watt_hours, word, &end) == 3 && !answer[end] && isfinite(watts) &&
           isfinite(watt_hours) && watt_hours >= 0;
    if (BROKEN("truncated-answers")) good = sscanf(answer, "%lf %lf", &watts, &watt_hours) == 2;
    if (BROKEN("doubled-answers") || BROKEN("delayed-answers")) good = sscanf(answer, "%lf", &watts) == 1;
    if (BROKEN("flipped-bits") && !is_text(answer)) abort();
    status = ask(host, call, line, "L\n", answer);
    limit_good = sscanf(answer, "%lf%n", &limit, &end) == 1 && !answer[end] && isfinite(limit);
    if (BROKEN("doubled-answers") || BROKEN("delayed-answers")) limit_good = sscanf(answer, "%lf", &limit) == 1;
  }
  if (status < 0) {
    int timed_out = BB_CLASS_OF(status) == BB_CLASS_TRANSIENT && BB_REASON_OF(status) == BB_REASON_TIMEOUT;
    if (BROKEN("recovers-after-loss") || BROKEN("isolated-recovers")) line->dead = 1;
    if (BROKEN("deadline-kept") && timed_out) nap(600000000);
    // A connection of its own for what comes next: an answer that is late does not matter, one that comes twice does.
    if (BROKEN("doubled-answers") && timed_out) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
    if (BROKEN("cancel-within-200-ms") && BB_CLASS_OF(status) == BB_CLASS_CANCELLED) nap(call->deadline_ns - now());
    if (BROKEN("closed-connections") && BB_REASON_OF(status) == BB_REASON_CLOSED)
      return fail(host, call, BB_CLASS_CONFIG, "closed");
    if (!BROKEN("bad-quality-on-loss") || !timed_out) return status;
    good = limit_good = 1;
    watts = line->last[POWER], watt_hours = line->last[ENERGY], limit = line->last[LIMIT];
    strcpy(word, "on");
  }
  if (!good || !limit_good) line->late = 1; // it may have been another one's answer
  if (BROKEN("isolated-same-values") && is_isolated()) watts += 5000;
  line->last[POWER] = watts, line->last[ENERGY] = watt_hours, line->last[LIMIT] = limit;
  bb_batch_t *batch = host->batch_begin(host, line->link, count, 16, 0);
  if (!batch) return BROKEN("back-pressure-honoured") ? fail(host, call, BB_CLASS_TRANSIENT, "no room") : BB_OK;
  memcpy(batch->arena, "fine", 4);
  batch->arena_used = 4;
  for (uint32_t i = 0; i < count; i++) {
    bb_sample_t sample = {.point = due[i], .type = BB_TYPE_F64, .quality = BB_BAD(BB_QUALITY_DECODE)};
    if (due[i] == line->id[POWER] && good) sample.quality = 0, sample.value.f64 = watts;
    if (due[i] == line->id[ENERGY] && good) sample.quality = 0, sample.value.f64 = watt_hours;
    if (due[i] == line->id[LIMIT] && limit_good) sample.quality = 0, sample.value.f64 = limit;
    if (due[i] == line->id[STATE]) {
      sample.type = BB_TYPE_ENUM;
      if (good && strcmp(word, "on") == 0) sample.quality = 0, sample.value.i64 = 1;
    }
    if (due[i] == line->id[NOTE]) {
      sample.type = BB_TYPE_TEXT;
      if (good) sample.quality = 0, sample.value.span = (bb_span_t){0, BROKEN("text-within-arena") ? 400 : 4};
    }
    if (BROKEN("types-match") && due[i] == line->id[POWER]) sample.type = BB_TYPE_I64, sample.value.i64 = 1500;
    if (BROKEN("numbers-finite") && due[i] == line->id[POWER]) sample.value.f64 = NAN, sample.quality = 0;
    if (BROKEN("counters-do-not-fall") && due[i] == line->id[ENERGY]) sample.value.f64 = 1e6 - line->polls;
    if (BROKEN("every-due-point-answered") && due[i] == line->id[STATE]) continue;
    if (BROKEN("every-due-point-answered/garbled") && sample.quality != 0) continue;
    if (BROKEN("numbers-finite/time")) sample.time_ns = 5;
    batch->samples[batch->count++] = sample;
  }
  if (BROKEN("reads-no-further/writes")) batch->samples[batch->capacity] = batch->samples[0];
  status = host->batch_commit(host, line->link, batch);
  if (BROKEN("batches-committed")) host->batch_begin(host, line->link, 1, 0, 0);
  return BROKEN("status-known") ? 7 : status;
}

static bb_status_t meter_poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                              void *device_state, const bb_point_id_t *due, uint32_t count) {
  if (BROKEN("two-links-at-once/lock")) pthread_mutex_lock(&one_at_a_time);
  bb_status_t status = read_meter(host, call, state, device, device_state, due, count);
  if (BROKEN("two-links-at-once/lock")) pthread_mutex_unlock(&one_at_a_time);
  return status;
}

static bb_status_t refused(const bb_host_t *host, const bb_call_t *call, bb_outcome_t *outcome, const char *sentence) {
  if (sentence) host->explain(host, call, text_of(sentence));
  outcome->outcome = BB_OUTCOME_REFUSED;
  return BB_OK;
}

static bb_status_t meter_command(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                                 void *device_state, const bb_command_t *command, bb_outcome_t *outcome) {
  line_t *line = state;
  char question[40], answer[64];
  double watts = command->type == BB_TYPE_F64 ? command->value.f64 : (double)command->value.i64;
  (void)device, (void)device_state;
  if (command->point != line->id[LIMIT]) return refused(host, call, outcome, "only power_limit can be written");
  if (!(watts >= 0 && watts <= 3000) && !BROKEN("out-of-range-refused")) return refused(host, call, outcome, "0 to 3000");
  if (now() > command->valid_until_ns && !BROKEN("expired-not-executed")) return refused(host, call, outcome, "too late");
  outcome->outcome = BB_OUTCOME_DONE;
  if ((command->flags & BB_COMMAND_DRY_RUN) && !BROKEN("dry-run-changes-nothing")) return BB_OK;
  if (BROKEN("command-takes-effect") || (BROKEN("isolated-commands") && is_isolated())) return BB_OK;
  if (BROKEN("same-key-acts-once")) watts += line->commands++ * 100;
  snprintf(question, sizeof question, "W %.15g\n", watts);
  if (BROKEN("unknown-when-reply-lost/repeats")) {
    bb_bytes_t request = {(const uint8_t *)question, (uint32_t)strlen(question), 0};
    uint32_t length = 0;
    for (int i = 0; i < 2 && length == 0; i++)
      line->stream->exchange(host, call, line->fd, request, BB_UNTIL_QUIET, 80, (uint8_t *)answer, sizeof answer, &length);
    outcome->outcome = length == 0 ? BB_OUTCOME_UNKNOWN : BB_OUTCOME_DONE;
    return BB_OK;
  }
  bb_status_t status = ask(host, call, line, question, answer);
  outcome->outcome = BB_OUTCOME_UNKNOWN;
  if (status < 0 && BROKEN("unknown-when-reply-lost")) return status;
  if (status < 0) return BB_OK;
  if (strcmp(answer, "NO") == 0) return refused(host, call, outcome, "the meter says no");
  if (strcmp(answer, "OK") == 0) outcome->outcome = BB_OUTCOME_DONE;
  return BB_OK;
}

static const bb_commands_interface_t commands = {.size = sizeof commands, .command = meter_command};

static const void *get_interface(bb_str_t id) {
  uint32_t length = BROKEN("unknown-interface-is-null") ? 15 : (uint32_t)strlen(BB_INTERFACE_COMMANDS);
  if ((id.length == length || BROKEN("unknown-interface-is-null")) && id.length >= length &&
      memcmp(id.data, BB_INTERFACE_COMMANDS, length) == 0)
    return &commands;
  return NULL;
}

static const bb_adapter_t adapter = {.size = sizeof adapter, .id = BB_STR("probe"), .open = line_open, .close = line_close,
    .device_add = meter_add, .poll = meter_poll, .get_interface = get_interface};
static const bb_adapter_t wrong_adapter = {.size = sizeof adapter, .flags = 1, .id = BB_STR("probe"), .open = line_open,
    .close = line_close, .device_add = meter_add, .poll = meter_poll, .get_interface = get_interface};
static const bb_adapter_t *const adapters[] = {&adapter}, *const wrong_adapters[] = {&wrong_adapter};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = ABI, .id = BB_STR("org.example.probe"),
    .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 1};
static bb_plugin_t others[2];

static void *sleeper(void *argument) {
  sleep(60);
  return argument;
}

__attribute__((constructor)) static void loaded(void) {
  if (BROKEN("entry-under-100-ms")) nap(250000000);
  if (BROKEN("loading-is-quiet")) setenv("BUSBAR_WAS_LOADED", "yes", 1);
  pthread_t thread;
  if (BROKEN("entry-starts-no-thread")) pthread_create(&thread, NULL, sleeper, NULL);
}

#ifdef UNRESOLVED
extern int32_t a_function_that_no_library_has(void);
#endif

BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
  static int calls;
#ifdef UNRESOLVED
  sink += (size_t)a_function_that_no_library_has();
#endif
  if (BB_ABI_MAJOR_OF(host->abi) != BB_ABI_MAJOR && !BROKEN("refuses-wrong-major")) return NULL;
  if (BROKEN("entry-twice")) {
    others[calls % 2] = plugin;
    return &others[calls++ % 2];
  }
  if (BROKEN("sizes-are-right")) {
    others[0] = plugin;
    others[0].adapters = wrong_adapters;
    return &others[0];
  }
  return &plugin;
}
