// SPDX-License-Identifier: Apache-2.0
// A plugin for the line meter that connects by itself (visiting_meter.py). It keeps every rule, but for the one named by FAULT, as in
// plugin.c. It asks by a timer, one question at a time, and drops a meter that does not answer.
#define _GNU_SOURCE
#include <busbar/busbar.h>
#include <busbar/ext/async.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/event.h>
#include <busbar/ext/websocket.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef FAULT
#define FAULT "none/visit"
#endif
#define BROKEN(name) (strcmp(FAULT, name) == 0)
#define TEXT(literal) ((bb_str_t)BB_STR(literal))

enum { POWER, ENERGY, STATE, LIMIT, NOTE, POINTS };
enum { TICK = 1, TICK_NS = 50000000, PATIENCE_NS = 400000000 };

typedef struct {
  const bb_host_t *host;
  bb_link_id_t link;
  bb_device_id_t device;
  const bb_websocket_service_t *socket;
  const bb_event_service_t *events;
  const bb_async_service_t *async;
  bb_point_id_t id[POINTS];
  double watts, watt_hours, limit, wanted;
  int connected, opened, known, on, measured, dead;
  char question;     // H, R, L, W: what is to be answered; 0 = nothing
  int64_t asked;     // when
  uint64_t pending;  // the token of a command; 0 = none
  int sent;          // it has left
  bb_bytes_t kept;
} visit_t;

static volatile size_t sink;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static bb_status_t fail(const bb_host_t *host, const bb_call_t *call, uint32_t class_, const char *sentence) {
  host->explain(host, call, (bb_str_t){sentence, (uint32_t)strlen(sentence), 0});
  return BB_FAIL(class_, 0);
}

static bb_status_t say(const bb_host_t *host, visit_t *visit, const char *text) {
  return visit->socket->send(host, visit->link, BB_MESSAGE_TEXT, (bb_bytes_t){(const uint8_t *)text, (uint32_t)strlen(text), 0});
}

static void end(const bb_host_t *host, visit_t *visit, uint32_t how) {
  bb_outcome_t outcome = {.size = sizeof outcome, .outcome = how};
  uint64_t token = visit->pending;
  visit->pending = 0;
  if (how == BB_OUTCOME_DONE) visit->limit = visit->wanted;
  if (token) visit->async->complete(host, visit->link, token, BB_OK, &outcome, (bb_str_t){0});
}

static void ask(const bb_host_t *host, visit_t *visit, char question) {
  char text[64] = {question, 0};
  if (question == 'W') {
    visit->sent = 1;
    snprintf(text, sizeof text, "W %.15g", visit->wanted);
    if (BROKEN("unknown-when-reply-lost/visit-repeats")) say(host, visit, text);
  }
  visit->question = question;
  visit->asked = now();
  say(host, visit, text);
}

// The meter is heard of no more, or makes no sense.
static void drop(const bb_host_t *host, visit_t *visit) {
  visit->socket->close(host, visit->link, 1008, TEXT("no answer"));
}

static bb_status_t visit_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **state) {
  visit_t *visit = *state = calloc(1, sizeof *visit);
  (void)call;
  if (!visit) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  visit->host = host;
  visit->link = config->link;
  visit->socket = host->get_service(host, TEXT(BB_SERVICE_WEBSOCKET));
  visit->events = host->get_service(host, TEXT(BB_SERVICE_EVENT));
  visit->async = host->get_service(host, TEXT(BB_SERVICE_ASYNC));
  return BB_OK;
}

static void visit_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)host, (void)call;
  if (!BROKEN("open-close-without-growth/visit")) free(state);
}

static bb_status_t visit_add(const bb_host_t *host, const bb_call_t *call, void *state, const bb_device_config_t *config,
                             void **device_state) {
  visit_t *visit = state;
  (void)call, (void)device_state;
  visit->device = config->device;
  const bb_point_desc_t points[POINTS] = {
      {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W, .resolution = 0.1},
      {.name = BB_STR("energy_total"), .type = BB_TYPE_F64, .kind = BB_KIND_COUNTER, .unit = BB_UNIT_WH, .resolution = 1},
      {.name = BB_STR("state"), .detail = BB_STR("{\"labels\": [\"off\", \"on\", \"fault\"]}"), .type = BB_TYPE_ENUM,
       .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE},
      {.name = BB_STR("power_limit"), .detail = BB_STR("{\"safe\": 1000}"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE,
       .unit = BB_UNIT_W, .flags = BB_POINT_WRITABLE, .maximum = 3000, .resolution = 1},
      {.name = BB_STR("note"), .type = BB_TYPE_TEXT, .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE}};
  return host->declare_points(host, visit->link, config->device, points, POINTS, sizeof points[0], visit->id);
}

// In the sandbox of a child no socket can be made.
static int is_isolated(void) {
  int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made >= 0) close(made);
  return made < 0;
}

static void *from_another_thread(void *argument) {
  visit_t *visit = argument;
  visit->events->timer(visit->host, visit->link, -1, 0, TICK + 1);
  return NULL;
}

// What stands; with what was measured just now.
static void tell(const bb_host_t *host, visit_t *visit, int measured) {
  bb_batch_t *batch = host->batch_begin(host, visit->link, POINTS, 16, 0);
  if (!batch) return;
  memcpy(batch->arena, "fine", 4);
  batch->arena_used = 4;
  const bb_sample_t all[POINTS] = {
      {.point = visit->id[STATE], .type = BB_TYPE_ENUM, .value.i64 = visit->on},
      {.point = visit->id[NOTE], .type = BB_TYPE_TEXT, .value.span = {0, 4}},
      {.point = visit->id[POWER], .type = BB_TYPE_F64, .value.f64 = visit->watts},
      {.point = visit->id[ENERGY], .type = BB_TYPE_F64, .value.f64 = visit->watt_hours},
      {.point = visit->id[LIMIT], .type = BB_TYPE_F64, .value.f64 = visit->limit}};
  batch->count = measured ? POINTS : 2;
  memcpy(batch->samples, all, batch->count * sizeof all[0]);
  if (measured && BROKEN("batches-committed/visit")) return;
  host->batch_commit(host, visit->link, batch);
}

static bb_status_t visit_poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device, void *device_state,
                              const bb_point_id_t *due, uint32_t count) {
  visit_t *visit = state;
  (void)device, (void)device_state, (void)due, (void)count;
  if (visit->dead) return fail(host, call, BB_CLASS_CONFIG, "it has left once");
  if (!visit->measured) return fail(host, call, BB_CLASS_TRANSIENT, "the meter has not said anything yet");
  tell(host, visit, BROKEN("bad-quality-on-loss/visit"));
  return BB_OK;
}

static bb_status_t on_open(const bb_host_t *host, const bb_call_t *call, void *state, const bb_peer_t *peer) {
  visit_t *visit = state;
  (void)call, (void)peer;
  visit->connected = 1;
  visit->question = 'H';
  visit->asked = now();
  if (visit->opened++ > 0 && BROKEN("recovers-after-loss/visit")) return BB_OK;
  return visit->events->timer(host, visit->link, TICK_NS, TICK_NS, TICK);
}

static bb_status_t on_closed(const bb_host_t *host, const bb_call_t *call, void *state, uint32_t code, bb_str_t reason) {
  visit_t *visit = state;
  (void)call, (void)code, (void)reason;
  visit->connected = visit->measured = 0;
  visit->question = 0;
  visit->dead = BROKEN("closed-connections/visit") || (BROKEN("isolated-recovers/visit") && is_isolated());
  if (visit->pending && (!visit->sent || BROKEN("unknown-when-reply-lost/visit-fails"))) {
    visit->async->complete(host, visit->link, visit->pending, BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED), NULL, TEXT("it has left"));
    visit->pending = 0;
  }
  end(host, visit, BB_OUTCOME_UNKNOWN);
  return BROKEN("nothing-while-alone") ? BB_OK : visit->events->timer(host, visit->link, -1, 0, TICK);
}

static bb_status_t on_timer(const bb_host_t *host, const bb_call_t *call, void *state, uint64_t tag) {
  visit_t *visit = state;
  (void)call, (void)tag;
  for (uint32_t i = 0; BROKEN("keeps-nothing/visit") && i < visit->kept.length; i++) sink += visit->kept.data[i];
  pthread_t thread;
  if (BROKEN("tags-obeyed/visit") && pthread_create(&thread, NULL, from_another_thread, visit) == 0) pthread_join(thread, NULL);
  if (!visit->connected) return say(host, visit, "R");
  if (!visit->question) ask(host, visit, 'R');
  if (now() - visit->asked < PATIENCE_NS) return BB_OK;
  if (visit->question == 'W') end(host, visit, BROKEN("unknown-when-reply-lost/visit") ? BB_OUTCOME_DONE : BB_OUTCOME_UNKNOWN);
  if (BROKEN("delayed-answers/visit")) { // goes on over the same connection
    ask(host, visit, visit->question == 'R' ? 'L' : 'R');
    return BB_OK;
  }
  drop(host, visit);
  return BB_OK;
}

// One line of the meter. False where it is no answer to what was asked.
static int hear(const bb_host_t *host, visit_t *visit, const char *line) {
  char word[8] = "";
  double watts, watt_hours, limit;
  int end_of = 0;
  bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR("Example"), .serial = BB_STR("LM0001")};
  switch (visit->question) {
    case 'H':
      if (strncmp(line, "H LM-1 ", 7) != 0) return 0;
      host->identify(host, visit->link, visit->device, &identity);
      return 1;
    case 'R':
      if (sscanf(line, "%lf %lf %7s%n", &watts, &watt_hours, word, &end_of) != 3 || line[end_of]) {
        if (!BROKEN("truncated-answers/visit-guesses") || sscanf(line, "%lf %lf", &watts, &watt_hours) != 2) return 0;
        strcpy(word, "on");
      }
      if (!isfinite(watts) || !isfinite(watt_hours) || (strcmp(word, "on") != 0 && strcmp(word, "off") != 0)) return 0;
      if (BROKEN("isolated-same-values/visit") && is_isolated()) watts += 5000;
      visit->watts = watts, visit->watt_hours = watt_hours, visit->on = word[1] == 'n';
      if (BROKEN("truncated-answers/visit-guesses")) tell(host, visit, visit->measured);
      ask(host, visit, 'L');
      return 1;
    case 'L':
      if (sscanf(line, "%lf%n", &limit, &end_of) != 1 || !isfinite(limit)) return 0;
      if (line[end_of] && !BROKEN("doubled-answers/visit") && !BROKEN("delayed-answers/visit")) return 0;
      visit->limit = limit;
      visit->measured = 1;
      tell(host, visit, 1);
      return 1;
    case 'W':
      if (strcmp(line, "OK") != 0 && strcmp(line, "NO") != 0) return 0;
      end(host, visit, line[0] == 'O' ? BB_OUTCOME_DONE : BB_OUTCOME_REFUSED);
      return 1;
    default: return 0;
  }
}

static bb_status_t on_message(const bb_host_t *host, const bb_call_t *call, void *state, uint32_t kind, bb_bytes_t message) {
  visit_t *visit = state;
  char line[64];
  (void)call;
  if (BROKEN("other-kind-of-message") && kind != BB_MESSAGE_TEXT) abort();
  if (BROKEN("reads-no-further/visit")) sink += strlen((const char *)message.data);
  if (BROKEN("deadline-kept/visit")) nanosleep(&(struct timespec){0, 600000000}, NULL);
  if (BROKEN("endless-answers/visit")) sink += (size_t)(uintptr_t)memcpy(malloc(message.length + 1), message.data, message.length);
  visit->kept = message;
  if (kind != BB_MESSAGE_TEXT || message.length >= sizeof line || memchr(message.data, 0, message.length)) return BB_OK;
  memcpy(line, message.data, message.length);
  line[message.length] = 0;
  if (BROKEN("flipped-bits/visit") && line[strspn(line, "0123456789. -?HLMOKNonf")]) abort();
  char question = visit->question;
  if (!hear(host, visit, line)) {
    if (BROKEN("truncated-answers/visit")) abort();
    return BROKEN("status-known/visit") ? 7 : BB_OK;
  }
  // The answer was that of the question before, unless another one was put just now.
  if (visit->question == question) visit->question = 0;
  if (!visit->question && visit->pending && !visit->sent) ask(host, visit, 'W');
  return BROKEN("status-known/visit") ? 7 : BB_OK;
}

static bb_status_t refused(const bb_host_t *host, const bb_call_t *call, bb_outcome_t *outcome, const char *sentence) {
  host->explain(host, call, (bb_str_t){sentence, (uint32_t)strlen(sentence), 0});
  outcome->outcome = BB_OUTCOME_REFUSED;
  return BB_OK;
}

static bb_status_t command(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device, void *device_state,
                           const bb_command_t *command, bb_outcome_t *outcome) {
  visit_t *visit = state;
  double watts = command->type == BB_TYPE_F64 ? command->value.f64 : (double)command->value.i64;
  (void)device, (void)device_state;
  if (command->point != visit->id[LIMIT]) return refused(host, call, outcome, "only power_limit can be written");
  if (!(watts >= 0 && watts <= 3000)) return refused(host, call, outcome, "0 to 3000");
  if (now() > command->valid_until_ns) return refused(host, call, outcome, "too late");
  outcome->outcome = BB_OUTCOME_DONE;
  if (command->flags & BB_COMMAND_DRY_RUN) return BB_OK;
  if (BROKEN("command-takes-effect/visit") || (BROKEN("nothing-while-alone/done") && !visit->connected)) return BB_OK;
  if (BROKEN("isolated-commands/visit") && is_isolated()) return BB_OK;
  if (!visit->connected) return fail(host, call, BB_CLASS_TRANSIENT, "nobody is connected");
  if (visit->pending) return fail(host, call, BB_CLASS_TRANSIENT, "another command is under way");
  visit->pending = call->token;
  visit->wanted = watts;
  visit->sent = 0;
  if (!visit->question) ask(host, visit, 'W');
  return BB_PENDING;
}

static void abandon(const bb_host_t *host, const bb_call_t *call, void *state, uint64_t token) {
  visit_t *visit = state;
  (void)host, (void)call;
  if (visit->pending == token) visit->pending = 0;
}

static const bb_websocket_interface_t socket_interface = {
    .size = sizeof socket_interface, .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
static const bb_event_interface_t event_interface = {.size = sizeof event_interface, .on_timer = on_timer};
static const bb_commands_interface_t commands_interface = {.size = sizeof commands_interface, .command = command};
static const bb_async_interface_t async_interface = {.size = sizeof async_interface, .max_pending = 1, .abandon = abandon};

static const void *get_interface(bb_str_t id) {
  const struct {
    const char *id;
    const void *table;
  } all[] = {{BB_INTERFACE_WEBSOCKET, &socket_interface}, {BB_INTERFACE_EVENT, &event_interface},
             {BB_INTERFACE_COMMANDS, &commands_interface}, {BB_INTERFACE_ASYNC, &async_interface}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (id.length == strlen(all[i].id) && memcmp(id.data, all[i].id, id.length) == 0) return all[i].table;
  return NULL;
}

static const bb_adapter_t adapter = {.size = sizeof adapter, .id = BB_STR("probe"), .open = visit_open, .close = visit_close,
    .device_add = visit_add, .poll = visit_poll, .get_interface = get_interface};
static const bb_adapter_t *const adapters[] = {&adapter};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR("org.example.probe"),
    .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 1};

BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
  return BB_ABI_MAJOR_OF(host->abi) == BB_ABI_MAJOR ? &plugin : NULL;
}
