// SPDX-License-Identifier: Apache-2.0
// An adapter for devices that connect by themselves (websocket.h), as small as it can be: what it is sent it sends back, and
// words do things. "watts 12.5" is a value, "tick N" starts a timer of N milliseconds, "kick CODE" ends the connection,
// "tag ID" asks for a verdict, "session JSON" is a record, "limit DEVICE VALUE" asks the arbiter. An action or a written value
// goes to the device as "do NAME ARGUMENTS" and is ended by its "done TEXT" or "no TEXT".
#define _GNU_SOURCE
#include <busbar/busbar.h>
#include <busbar/ext/async.h>
#include <busbar/ext/authorize.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/control.h>
#include <busbar/ext/event.h>
#include <busbar/ext/record.h>
#include <busbar/ext/websocket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((bb_str_t)BB_STR(literal))

enum { POWER, STATUS, LIMIT, POINTS };

typedef struct {
  bb_link_id_t link;
  bb_device_id_t device;
  const bb_websocket_service_t *socket;
  const bb_event_service_t *events;
  const bb_async_service_t *async;
  const bb_authorize_service_t *authorize;
  const bb_record_service_t *record;
  const bb_control_service_t *control;
  bb_point_id_t id[POINTS];
  double watts, limit, wanted;
  int connected;
  uint64_t pending;
} visit_t;

static bb_status_t say(const bb_host_t *host, visit_t *visit, const char *text) {
  bb_bytes_t message = {(const uint8_t *)text, (uint32_t)strlen(text), 0};
  return visit->socket->send(host, visit->link, BB_MESSAGE_TEXT, message);
}

static bb_status_t visit_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **state) {
  visit_t *visit = *state = calloc(1, sizeof *visit);
  (void)call;
  if (!visit) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  visit->link = config->link;
  visit->socket = host->get_service(host, TEXT(BB_SERVICE_WEBSOCKET));
  visit->events = host->get_service(host, TEXT(BB_SERVICE_EVENT));
  visit->async = host->get_service(host, TEXT(BB_SERVICE_ASYNC));
  visit->authorize = host->get_service(host, TEXT(BB_SERVICE_AUTHORIZE));
  visit->record = host->get_service(host, TEXT(BB_SERVICE_RECORD));
  visit->control = host->get_service(host, TEXT(BB_SERVICE_CONTROL));
  return BB_OK;
}

static void visit_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)host, (void)call;
  free(state);
}

static bb_status_t visit_add(const bb_host_t *host, const bb_call_t *call, void *state, const bb_device_config_t *config,
                             void **device_state) {
  visit_t *visit = state;
  (void)call, (void)device_state;
  visit->device = config->device;
  const bb_point_desc_t points[POINTS] = {
      [POWER] = {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W, .resolution = 0.1},
      [STATUS] = {.name = BB_STR("status"), .detail = BB_STR("{\"labels\": [\"available\", \"charging\"]}"),
                  .type = BB_TYPE_ENUM, .kind = BB_KIND_STATE, .unit = BB_UNIT_NONE},
      [LIMIT] = {.name = BB_STR("current_limit"), .detail = BB_STR("{\"safe\": 6}"), .type = BB_TYPE_F64,
                 .kind = BB_KIND_GAUGE, .unit = BB_UNIT_A, .flags = BB_POINT_WRITABLE, .maximum = 32, .resolution = 0.1}};
  return host->declare_points(host, visit->link, config->device, points, POINTS, sizeof points[0], visit->id);
}

static void values(const bb_host_t *host, visit_t *visit) {
  bb_batch_t *batch = host->batch_begin(host, visit->link, POINTS, 0, 0);
  if (!batch) return;
  batch->samples[0] = (bb_sample_t){.point = visit->id[POWER], .type = BB_TYPE_F64, .value.f64 = visit->watts};
  batch->samples[1] = (bb_sample_t){.point = visit->id[STATUS], .type = BB_TYPE_ENUM, .value.i64 = visit->watts > 0};
  batch->samples[2] = (bb_sample_t){.point = visit->id[LIMIT], .type = BB_TYPE_F64, .value.f64 = visit->limit};
  batch->count = POINTS;
  host->batch_commit(host, visit->link, batch);
}

static bb_status_t visit_poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                              void *device_state, const bb_point_id_t *due, uint32_t count) {
  visit_t *visit = state;
  (void)device, (void)device_state, (void)due, (void)count;
  if (!visit->connected) {
    host->explain(host, call, TEXT("not connected"));
    return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
  }
  values(host, visit);
  return BB_OK;
}

static bb_status_t on_open(const bb_host_t *host, const bb_call_t *call, void *state, const bb_peer_t *peer) {
  visit_t *visit = state;
  char text[512];
  (void)call;
  visit->connected = 1;
  bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR("Visitor"), .serial = peer->identity,
                            .detail = BB_STR("{\"actions\": [{\"name\": \"unlock\"}, {\"name\": \"ocpp.call\"}]}")};
  host->identify(host, visit->link, visit->device, &identity);
  snprintf(text, sizeof text, "hello %.*s %.*s trust=%u tls=%u", (int)peer->identity.length, peer->identity.data,
           (int)peer->subprotocol.length, peer->subprotocol.data ? peer->subprotocol.data : "", peer->trust,
           peer->flags & BB_PEER_TLS);
  return say(host, visit, text);
}

static bb_status_t end(const bb_host_t *host, visit_t *visit, uint32_t how, const char *text) {
  bb_outcome_t outcome = {.size = sizeof outcome, .outcome = how};
  uint64_t token = visit->pending;
  visit->pending = 0;
  return visit->async->complete(host, visit->link, token, BB_OK, &outcome, (bb_str_t){text, (uint32_t)strlen(text), 0});
}

static bb_status_t on_message(const bb_host_t *host, const bb_call_t *call, void *state, uint32_t kind, bb_bytes_t message) {
  visit_t *visit = state;
  char *text = strndup((const char *)message.data, message.length), device[64];
  double number;
  int whole;
  bb_status_t status = BB_OK;
  (void)call;
  if (!text) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_PLUGIN);
  if (kind == BB_MESSAGE_BINARY) status = visit->socket->send(host, visit->link, kind, message);
  else if (sscanf(text, "watts %lf", &number) == 1) visit->watts = number, values(host, visit);
  else if (sscanf(text, "tick %d", &whole) == 1) status = visit->events->timer(host, visit->link, whole * 1000000LL, 0, 7);
  else if (sscanf(text, "kick %d", &whole) == 1) status = visit->socket->close(host, visit->link, (uint32_t)whole, TEXT("kicked"));
  else if (strncmp(text, "done ", 5) == 0) visit->limit = visit->wanted, status = end(host, visit, BB_OUTCOME_DONE, text + 5);
  else if (strncmp(text, "no ", 3) == 0) status = end(host, visit, BB_OUTCOME_REFUSED, text + 3);
  else if (strncmp(text, "tag ", 4) == 0)
    status = visit->authorize->ask(host, visit->link, visit->device, 42, (bb_str_t){text + 4, (uint32_t)strlen(text + 4), 0}, TEXT("ISO14443"));
  else if (strncmp(text, "session ", 8) == 0) {
    status = visit->record->record(host, visit->link, visit->device, TEXT("evcharger.session"),
                                   (bb_str_t){text + 8, (uint32_t)strlen(text + 8), 0});
    say(host, visit, status < 0 ? "not kept" : "kept");
  } else if (sscanf(text, "limit %63s %lf", device, &number) == 2) {
    status = visit->control->request(host, visit->link, (bb_str_t){device, (uint32_t)strlen(device), 0}, TEXT("power_limit"), number,
                                     10000000000LL);
    say(host, visit, status < 0 ? "not granted" : "granted");
    status = BB_OK;
  } else if (strcmp(text, "fail") == 0) status = BB_FAIL(BB_CLASS_DEVICE, BB_REASON_GARBLED);
  else if (strcmp(text, "crash") == 0) abort();
  else if (strcmp(text, "list") == 0) {
    uint8_t list[4096];
    uint32_t length = 0;
    status = visit->authorize->list(host, visit->link, list, sizeof list, &length);
    if (status == BB_OK) status = visit->socket->send(host, visit->link, BB_MESSAGE_TEXT, (bb_bytes_t){list, length, 0});
  } else status = say(host, visit, text);
  free(text);
  return status;
}

static bb_status_t on_closed(const bb_host_t *host, const bb_call_t *call, void *state, uint32_t code, bb_str_t reason) {
  (void)host, (void)call, (void)code, (void)reason;
  ((visit_t *)state)->connected = 0;
  return BB_OK;
}

static bb_status_t on_timer(const bb_host_t *host, const bb_call_t *call, void *state, uint64_t tag) {
  (void)call, (void)tag;
  return ((visit_t *)state)->connected ? say(host, state, "tock") : BB_OK;
}

static bb_status_t on_verdict(const bb_host_t *host, const bb_call_t *call, void *state, uint64_t ticket,
                              const bb_tag_verdict_t *verdict) {
  char text[512];
  (void)call;
  snprintf(text, sizeof text, "verdict %u %.*s %u", (unsigned)ticket, (int)verdict->group.length,
           verdict->group.length ? verdict->group.data : "", verdict->verdict);
  return say(host, state, text);
}

static bb_status_t on_list(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)call;
  return ((visit_t *)state)->connected ? say(host, state, "list changed") : BB_OK;
}

static bb_status_t command(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device, void *device_state,
                           const bb_command_t *command, bb_outcome_t *outcome) {
  visit_t *visit = state;
  char text[1024];
  (void)device, (void)device_state;
  if (command->flags & BB_COMMAND_DRY_RUN) {
    outcome->outcome = BB_OUTCOME_DONE;
    return BB_OK;
  }
  if (!visit->connected) return BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_CLOSED);
  visit->wanted = command->point ? command->value.f64 : visit->limit;
  if (command->point)
    snprintf(text, sizeof text, "do current_limit %g", command->value.f64);
  else
    snprintf(text, sizeof text, "do %.*s %.*s", (int)command->name.length, command->name.data, (int)command->arguments.length,
             command->arguments.data);
  bb_status_t status = say(host, visit, text);
  if (status < 0) return status;
  visit->pending = call->token;
  return BB_PENDING;
}

static void abandon(const bb_host_t *host, const bb_call_t *call, void *state, uint64_t token) {
  (void)call, (void)token;
  ((visit_t *)state)->pending = 0;
  if (((visit_t *)state)->connected) say(host, state, "abandoned");
}

static const bb_websocket_interface_t socket_interface = {
    .size = sizeof socket_interface, .on_open = on_open, .on_message = on_message, .on_closed = on_closed};
static const bb_event_interface_t event_interface = {.size = sizeof event_interface, .on_timer = on_timer};
static const bb_authorize_interface_t authorize_interface = {
    .size = sizeof authorize_interface, .on_verdict = on_verdict, .on_list = on_list};
static const bb_commands_interface_t commands_interface = {.size = sizeof commands_interface, .command = command};
static const bb_async_interface_t async_interface = {.size = sizeof async_interface, .abandon = abandon};

static const void *get_interface(bb_str_t id) {
  const struct {
    const char *id;
    const void *table;
  } all[] = {{BB_INTERFACE_WEBSOCKET, &socket_interface}, {BB_INTERFACE_EVENT, &event_interface},
             {BB_INTERFACE_AUTHORIZE, &authorize_interface}, {BB_INTERFACE_COMMANDS, &commands_interface},
             {BB_INTERFACE_ASYNC, &async_interface}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (id.length == strlen(all[i].id) && memcmp(id.data, all[i].id, id.length) == 0) return all[i].table;
  return NULL;
}

static const bb_adapter_t visitor = {.size = sizeof visitor, .id = BB_STR("visitor"), .open = visit_open, .close = visit_close,
    .device_add = visit_add, .poll = visit_poll, .get_interface = get_interface};
static const bb_adapter_t *const adapters[] = {&visitor};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR("org.example.visitor"),
    .version = BB_STR("1.0.0"), .adapters = adapters, .adapter_count = 1};

BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
  return BB_ABI_MAJOR_OF(host->abi) == BB_ABI_MAJOR ? &plugin : NULL;
}

BB_MANIFEST_JSON({
  "id": "org.example.visitor",
  "version": "1.0.0",
  "title": "Devices that connect by themselves",
  "abi": {"major": 0, "minor": 1},
  "requires": ["busbar.websocket/1", "busbar.event/1", "busbar.async/1", "busbar.authorize/1", "busbar.record/1", "busbar.control/1"],
  "permissions": [],
  "adapters": [{
    "id": "visitor",
    "title": "Visitor",
    "endpoints": {"device": ["listener"]},
    "subprotocols": ["visit.2", "visit.1"],
    "kinds": ["evcharger"],
    "points": ["power", "status", "current_limit"],
    "link": {"type": "object", "properties": {}, "additionalProperties": false},
    "config": {"type": "object", "properties": {}, "additionalProperties": false}
  }]
});
