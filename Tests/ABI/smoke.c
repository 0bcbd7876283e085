// SPDX-License-Identifier: Apache-2.0
// A host in one file, made of the headers alone: loads a plugin, hands it a connection, adds a device, polls it, sends
// commands and prints what came. It shares no code with Busbar's own host, so what works in both is in the contract.
//
//   smoke PLUGIN.so TCP-PORT SETTINGS-JSON [POLLS [POINT=VALUE…]]     POINT=?VALUE is a dry run
//
// SMOKE_DEADLINE_MS is the time of a call, SMOKE_BUSY refuses every batch, SMOKE_BARE offers no diagnostics.
//
// Settings are an object of numbers and texts without nesting. Every lent text is a copy that ends with the call, so that
// a sanitizer or valgrind sees a plugin that keeps one.
#define _GNU_SOURCE
#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/stream.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH 32
static struct { char name[64]; uint16_t type; uint32_t flags; bb_device_id_t device; } points[ENOUGH + 1]; // id = index
static uint32_t point_count, bad_use;
static uint64_t token = 1;
static int connection = -1;
static uint16_t port;
static bb_batch_t *lent; // at most one slot at a time in this host

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int show(bb_str_t text) { return printf("%.*s", (int)text.length, text.data ? text.data : ""); }

// Counts a broken rule; the exit code tells.
static bb_status_t wrong(const char *what) {
  printf("BROKEN %s\n", what);
  bad_use++;
  return BB_FAIL(BB_CLASS_BUG, BB_REASON_RANGE);
}

// The stream service.

static bb_status_t stream_open(const bb_host_t *host, const bb_call_t *call, bb_link_id_t link, bb_str_t endpoint,
                               bb_stream_info_t *info) {
  (void)host;
  if (link != 1 || call->token != token || endpoint.length != 6 ||
      memcmp(endpoint.data, "device", 6)) return wrong("stream open");
  if (!BB_COVERS(info, kind)) return wrong("stream info without size");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connection < 0) connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(connection, (struct sockaddr *)&to, sizeof to)) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_REFUSED);
  fcntl(connection, F_SETFL, O_NONBLOCK);
  info->fd = connection;
  info->kind = BB_STREAM_TCP;
  return BB_OK;
}

static void stream_close(const bb_host_t *host, bb_link_id_t link, int32_t fd) { (void)host, (void)link, (void)fd; }

static bb_status_t exchange(const bb_host_t *host, const bb_call_t *call, int32_t fd, bb_bytes_t request,
                            uint32_t mode, uint32_t until,
                            uint8_t *reply, uint32_t capacity, uint32_t *length) {
  (void)host;
  *length = 0;
  if (fd != connection || call->token != token) return wrong("exchange outside of its call");
  if (mode < BB_UNTIL_LENGTH || mode > BB_UNTIL_QUIET ||
      (mode == BB_UNTIL_LENGTH && until > capacity)) return wrong("exchange mode");
  if (request.length && send(fd, request.data, request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
    return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
  for (;;) {
    if (mode == BB_UNTIL_LENGTH && *length == until) return BB_OK;
    if (mode == BB_UNTIL_SOME && *length) return BB_OK;
    if (mode == BB_UNTIL_BYTE && *length && reply[*length - 1] == until) return BB_OK;
    if (*length == capacity) return mode == BB_UNTIL_QUIET ? BB_OK : BB_FAIL(BB_CLASS_DEVICE, BB_REASON_NO_SPACE);
    int64_t left = (call->deadline_ns - now_ns()) / 1000000;
    if (left <= 0) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT);
    int quiet = mode == BB_UNTIL_QUIET && (int64_t)until < left;
    int ready = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, quiet ? (int)until : (int)left);
    if (ready == 0 && quiet) return BB_OK;
    if (ready <= 0) continue;
    ssize_t got = recv(fd, reply + *length, mode == BB_UNTIL_BYTE ? 1 : capacity - *length, 0);
    if (got == 0) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
    if (got > 0) *length += (uint32_t)got;
  }
}

static bb_status_t stream_pause(const bb_host_t *host, const bb_call_t *call, uint32_t milliseconds) {
  (void)host, (void)call;
  return poll(NULL, 0, (int)milliseconds) ? BB_FAIL(BB_CLASS_CANCELLED, 0) : BB_OK;
}

// The config service: one flat object, one key at a time.

static const char *find(bb_str_t document, bb_str_t pointer, const char **end) {
  char key[64];
  const char *stop = document.data + document.length;
  snprintf(key, sizeof key, "\"%.*s\"", (int)pointer.length - 1, pointer.data + 1);
  const char *place = memmem(document.data, document.length, key, strlen(key));
  if (!place) return NULL;
  for (place += strlen(key); place < stop && (*place == ':' || *place == ' '); place++) {}
  if (place < stop && *place == '"') return *end = memchr(place + 1, '"',
                                                          (size_t)(stop - place - 1)), *end ? place + 1 : NULL;
  for (*end = place; *end < stop && **end != ',' && **end != '}'; (*end)++) {}
  return place;
}

static bb_status_t get_text(const bb_host_t *host, bb_str_t document, bb_str_t pointer, uint8_t *out,
                            uint32_t capacity, uint32_t *length) {
  const char *end, *text = find(document, pointer, &end);
  (void)host;
  if (!text) return BB_FAIL(BB_CLASS_UNSUPPORTED, 0);
  *length = (uint32_t)(end - text);
  if (*length > capacity) return BB_FAIL(BB_CLASS_DEVICE, BB_REASON_NO_SPACE);
  memcpy(out, text, *length);
  return BB_OK;
}

static bb_status_t get_number(const bb_host_t *host, bb_str_t document, bb_str_t pointer, double *value) {
  char text[40] = "", *rest;
  uint32_t length = 0;
  bb_status_t status = get_text(host, document, pointer, (uint8_t *)text, sizeof text - 1, &length);
  if (status < 0) return status;
  *value = strtod(text, &rest);
  return rest == text || *rest ? BB_FAIL(BB_CLASS_UNSUPPORTED, 0) : BB_OK;
}

// Diagnostics and the host itself.

static int32_t tracing(const bb_host_t *host, bb_link_id_t link) { return (void)host, link == 1; }
static void trace(const bb_host_t *host, bb_link_id_t link, uint32_t direction, bb_bytes_t frame) {
  (void)host, (void)link;
  printf("trace %c %" PRIu32 " bytes\n", direction == BB_TRACE_SENT ? '>' : '<', frame.length);
}
static void problem(const bb_host_t *host, bb_link_id_t link, bb_device_id_t device, bb_str_t name, int32_t active,
                    bb_str_t text) {
  static int32_t before;
  (void)host, (void)link, (void)text;
  if (active != before) printf("problem %" PRIu32 " %.*s %s\n", device, (int)name.length, name.data,
                               active ? "raised" : "cleared");
  before = active;
}

static const bb_stream_service_t stream = {.size = sizeof stream, .open = stream_open, .close = stream_close,
                                           .exchange = exchange, .pause = stream_pause};
static const bb_config_service_t config = {.size = sizeof config, .get_number = get_number, .get_text = get_text};
static const bb_diagnostics_service_t diagnostics = {.size = sizeof diagnostics, .tracing = tracing, .trace = trace,
                                                     .problem = problem};

static const void *get_service(const bb_host_t *host, bb_str_t id) {
  static const struct { const char *id; const void *table; } services[] = {
    {BB_SERVICE_STREAM, &stream}, {BB_SERVICE_CONFIG, &config}, {BB_SERVICE_DIAGNOSTICS, &diagnostics}};
  (void)host;
  for (size_t i = 0; i < sizeof services / sizeof *services; i++)
    if (strlen(services[i].id) == id.length && !memcmp(services[i].id, id.data, id.length) &&
        !(i == 2 && getenv("SMOKE_BARE")))
      return services[i].table;
  return NULL;
}

static void log_line(const bb_host_t *host, bb_link_id_t link, int32_t level, bb_str_t text) {
  (void)host;
  printf("log %" PRIu32 " %" PRIi32 " ", link, level), show(text), printf("\n");
}
static void explain(const bb_host_t *host, const bb_call_t *call, bb_str_t text) {
  (void)host;
  if (call->token != token) wrong("explain outside of its call");
  printf("because "), show(text), printf("\n");
}
static int32_t cancelled(const bb_host_t *host, const bb_call_t *call) { return (void)host, call->token != token; }

static bb_status_t declare_points(const bb_host_t *host, bb_link_id_t link, bb_device_id_t device,
                                  const bb_point_desc_t *list, uint32_t count,
                                  uint32_t stride, bb_point_id_t *out) {
  (void)host, (void)link;
  for (uint32_t i = 0; i < count; i++) {
    bb_point_desc_t point = {0};
    memcpy(&point, (const char *)list + (size_t)i * stride, stride < sizeof point ? stride : sizeof point);
    if (!point.name.length || !point.type || !point.kind || point_count == ENOUGH) return wrong("point");
    out[i] = ++point_count;
    snprintf(points[out[i]].name, sizeof points[0].name, "%.*s", (int)point.name.length, point.name.data);
    points[out[i]].type = point.type, points[out[i]].flags = point.flags, points[out[i]].device = device;
    printf("point %s type %u unit %u %s%s", points[out[i]].name, point.type, point.unit,
           point.flags & BB_POINT_WRITABLE ? "writable " : "",
           point.detail.length ? "" : "\n");
    if (point.detail.length) show(point.detail), printf("\n");
  }
  return BB_OK;
}

static bb_status_t identify(const bb_host_t *host, bb_link_id_t link, bb_device_id_t device, const bb_identity_t *who) {
  (void)host, (void)link;
  printf("identity %" PRIu32 " ", device), show(who->vendor);
  printf("/"), show(who->model), printf("/"), show(who->serial), printf("\n");
  return BB_OK;
}

static bb_batch_t *batch_begin(const bb_host_t *host, bb_link_id_t link, uint32_t samples, uint32_t arena_bytes,
                               uint32_t flags) {
  (void)host, (void)link;
  if (lent || !samples || samples > 1024 || arena_bytes > 65536) return wrong("batch_begin"), NULL;
  if (getenv("SMOKE_BUSY")) return printf("busy\n"), NULL;
  lent = calloc(1, sizeof *lent);
  *lent = (bb_batch_t){.size = sizeof *lent, .flags = flags, .samples = calloc(samples, sizeof(bb_sample_t)),
                       .arena = calloc(arena_bytes + 1, 1),
                       .capacity = samples, .arena_capacity = arena_bytes, .token = token};
  return lent;
}

static bb_status_t batch_commit(const bb_host_t *host, bb_link_id_t link, bb_batch_t *batch) {
  (void)host, (void)link;
  if (batch != lent || batch->count > batch->capacity ||
      batch->arena_used > batch->arena_capacity) return wrong("batch_commit");
  for (uint32_t i = 0; i < batch->count; i++) {
    const bb_sample_t *sample = &batch->samples[i];
    if (!sample->point || sample->point > point_count ||
        sample->type != points[sample->point].type) { wrong("sample"); continue; }
    printf("%s ", points[sample->point].name);
    if (sample->quality & BB_QUALITY_BAD) printf("bad %u\n", sample->quality & ~BB_QUALITY_VERDICT);
    else if (sample->type == BB_TYPE_F64) printf("%.15g\n", sample->value.f64);
    else printf("%" PRIi64 "\n", sample->value.i64);
  }
  free(batch->samples), free(batch->arena), free(batch);
  lent = NULL;
  return BB_OK;
}

static bb_call_t next_call(void) {
  const char *milliseconds = getenv("SMOKE_DEADLINE_MS");
  int64_t time = INT64_C(1000000) * (milliseconds ? atoi(milliseconds) : 10000);
  return (bb_call_t){.size = sizeof(bb_call_t), .token = ++token, .deadline_ns = now_ns() + time};
}

static bb_status_t report(const char *what, bb_status_t status) {
  if (status == BB_OK) printf("%s ok\n", what);
  else printf("%s failed, class %u reason %u\n", what, BB_CLASS_OF(status), BB_REASON_OF(status));
  return status;
}

static void command(const bb_host_t *host, const bb_adapter_t *adapter, void *state, void *device_state, char *order) {
  bb_str_t id = BB_STR(BB_INTERFACE_COMMANDS);
  const bb_commands_interface_t *commands = BB_HAS(adapter, get_interface) ? adapter->get_interface(id) : NULL;
  char *value = strchr(order, '=');
  if (!commands || !BB_HAS(commands, command) || !value) { wrong("no commands"); return; }
  *value++ = 0;
  bb_call_t call = next_call();
  bb_command_t write = {.size = sizeof write, .device = 7, .type = BB_TYPE_F64, .attempt = 1,
                        .valid_until_ns = now_ns() + INT64_C(60000000000)};
  for (uint32_t i = 1; i <= point_count; i++)
    if (strcmp(points[i].name, order) == 0) write.point = i;
  if (*value == '?') write.flags = BB_COMMAND_DRY_RUN, value++;
  if (*value == '!') write.valid_until_ns = now_ns() - 1, value++;
  write.value.f64 = strtod(value, NULL);
  bb_outcome_t outcome = {.size = sizeof outcome};
  if (report("command", commands->command(host, &call, state, 7, device_state, &write, &outcome)) < 0) return;
  printf("outcome %" PRIu32, outcome.outcome);
  if (outcome.type == BB_TYPE_F64) printf(" %.15g", outcome.value.f64);
  printf("\n");
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "smoke PLUGIN.so TCP-PORT SETTINGS-JSON [POLLS [POINT=VALUE...]]\n"), 2;
  bb_host_t host = {.size = sizeof host, .abi = BB_ABI_VERSION, .get_service = get_service, .log = log_line,
                    .explain = explain, .cancelled = cancelled,
                    .declare_points = declare_points, .identify = identify, .batch_begin = batch_begin, .batch_commit = batch_commit};
  setvbuf(stdout, NULL, _IOLBF, 0);
  port = (uint16_t)atoi(argv[2]);
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  bb_entry_t entry;
  void *symbol = dlsym(library, BB_ENTRY_SYMBOL);
  memcpy(&entry, &symbol, sizeof entry);
  if (!symbol) return fprintf(stderr, "no %s\n", BB_ENTRY_SYMBOL), 1;

  bb_host_t stranger = host; // a host of the next major number must be refused
  stranger.abi = (BB_ABI_MAJOR + 1u) << 16;
  printf("wrong major %s\n", entry(&stranger) ? "accepted" : "refused");
  const bb_plugin_t *plugin = entry(&host);
  if (!plugin || plugin != entry(&host) || !plugin->adapter_count) return wrong("entry"), 1;
  printf("plugin "), show(plugin->id), printf(" "), show(plugin->version), printf("\n");
  const bb_adapter_t *adapter = plugin->adapters[0];
  bb_str_t unknown = BB_STR("busbar.commands/99");
  if (BB_HAS(adapter, get_interface) && adapter->get_interface(unknown)) wrong("unknown interface");

  void *state = NULL, *device_state = NULL, *second = NULL;
  char *settings = strdup(argv[3]);
  bb_call_t call = next_call();
  bb_link_config_t link = {.size = sizeof link, .link = 1, .config = BB_STR("{}")};
  if (report("open", adapter->open(&host, &call, &link, &state)) == BB_OK) {
    bb_device_config_t device = {.size = sizeof device, .device = 7, .name = BB_STR("lod_smoke"),
                                 .device_config = {settings, (uint32_t)strlen(settings), 0}};
    call = next_call();
    bb_status_t added = report("add", adapter->device_add(&host, &call, state, &device, &device_state));
    free(settings), settings = NULL; // lent for the call only
    if (added == BB_OK) {
      bb_point_id_t due[ENOUGH];
      for (uint32_t i = 0; i < point_count; i++) due[i] = i + 1;
      for (int polls = argc > 4 ? atoi(argv[4]) : 1; polls > 0; polls--) {
        call = next_call();
        report("poll", adapter->poll(&host, &call, state, 7, device_state, due, point_count));
      }
      for (int i = 5; i < argc; i++) command(&host, adapter, state, device_state, argv[i]);
      call = next_call();
      device.device = 8;
      device.device_config = (bb_str_t)BB_STR("{\"unit\": \"W\", \"scale\": 1, \"rated_power\": 10, \"safe_limit\": 1}");
      report("add again", adapter->device_add(&host, &call, state, &device, &second));
    }
    call = next_call();
    if (second) adapter->device_remove(&host, &call, state, 8, second);
    if (device_state) adapter->device_remove(&host, &call, state, 7, device_state);
  }
  free(settings);
  call = next_call();
  if (state) adapter->close(&host, &call, state);
  if (connection >= 0) close(connection);
  if (lent) wrong("batch kept");
  printf("broken %" PRIu32 "\n", bad_use);
  return bad_use != 0;
}
