// SPDX-License-Identifier: Apache-2.0
// So many charge points of OCPP 1.6 in one process, which cost as little as possible beside what is measured: one epoll, frames
// made of prepared text. Each sends meter values and a heartbeat in its time, at a phase of its own, obeys starts, stops and
// limits, and comes back a second after it was refused or lost.
//   chargers --port N --count N [--first 0] [--meter 10] [--beat 60] [--together 50] [--ca FILE]
// One JSON object when all are accepted; after each line on the standard input, a number of seconds, it measures for so long and
// prints another: how long answers took, seconds. It ends with the standard input.
//   chargers --port N --strangers RATE --seconds N [--addresses N]
// So many connections a second by names that nobody knows, from addresses of their own; each is closed when it is answered.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ASKED = 8, ROOM = 8192, INPUT = 0xFFFFFFFF };
enum phase { AWAY, CONNECTING, SHAKING, UPGRADING, BOOTING, LIVING };

struct charger {
  int fd;
  enum phase phase;
  SSL *tls;
  unsigned number, sent;         // the next call's id
  double asked[ASKED];           // when, by id modulo
  double since, again;           // of the attempt; of the next one
  long transaction, energy;
  char limit[24], unit;          // of the last charging profile
  char *kept;                    // a part of a message
  size_t count;
};

static struct {
  int port, count, first, together, strangers, addresses;
  double seconds, meter, beat;
  const char *ca;
} options = {.together = 50, .addresses = 1, .meter = 10, .beat = 60, .seconds = 30};

static struct charger *chargers;
static int poller, shaking, living, lost, errors, refused;
static SSL_CTX *context;
static char stamp[32];
static bool measuring;
static float *times;
static size_t answers, room;
static unsigned statuses[600];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void stamp_now(void) {
  time_t seconds = time(NULL);
  struct tm parts;
  gmtime_r(&seconds, &parts);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void put_off(struct charger *c, double pause) {
  if (c->phase == LIVING) living--, lost++;
  else if (c->phase != AWAY) shaking--, refused++;
  if (c->tls) SSL_free(c->tls);
  close(c->fd);
  free(c->kept);
  c->tls = NULL, c->kept = NULL, c->count = 0, c->fd = -1;
  c->phase = AWAY;
  c->again = now() + pause;
}

static void give(struct charger *c, const void *bytes, size_t count) {
  ssize_t done = c->tls ? SSL_write(c->tls, bytes, (int)count) : send(c->fd, bytes, count, MSG_NOSIGNAL);
  // So little always has room, unless the far end reads no more.
  if (done != (ssize_t)count) errors++, put_off(c, 1);
}

static void frame(struct charger *c, int kind, const char *text, size_t count) {
  static const uint8_t mask[4] = {1, 2, 3, 4};
  uint8_t out[ROOM + 16];
  size_t head = 2;
  if (count > ROOM) exit(2);
  out[0] = (uint8_t)(0x80 | kind);
  if (count < 126) {
    out[1] = (uint8_t)(0x80 | count);
  } else {
    out[1] = 0x80 | 126, out[2] = (uint8_t)(count >> 8), out[3] = (uint8_t)count, head = 4;
  }
  memcpy(out + head, mask, 4);
  head += 4;
  for (size_t i = 0; i < count; i++) out[head + i] = (uint8_t)text[i] ^ mask[i & 3];
  give(c, out, head + count);
}

static void call(struct charger *c, const char *action, const char *payload) {
  char text[ROOM];
  unsigned id = c->sent++;
  int count = snprintf(text, sizeof text, "[2,\"%u\",\"%s\",%s]", id, action, payload);
  c->asked[id % ASKED] = now();
  frame(c, 1, text, (size_t)count);
}

static void meter(struct charger *c) {
  char text[ROOM];
  c->energy += 20;
  snprintf(text, sizeof text,
           "{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"%s\",\"sampledValue\":[{\"value\":\"%ld\",\"unit\":\"Wh\"},"
           "{\"value\":\"7000\",\"unit\":\"W\",\"measurand\":\"Power.Active.Import\"},"
           "{\"value\":\"10.1\",\"unit\":\"A\",\"measurand\":\"Current.Import\",\"phase\":\"L1\"},"
           "{\"value\":\"230.2\",\"unit\":\"V\",\"measurand\":\"Voltage\",\"phase\":\"L1-N\"},"
           "{\"value\":\"10.1\",\"unit\":\"A\",\"measurand\":\"Current.Import\",\"phase\":\"L2\"},"
           "{\"value\":\"230.2\",\"unit\":\"V\",\"measurand\":\"Voltage\",\"phase\":\"L2-N\"},"
           "{\"value\":\"10.1\",\"unit\":\"A\",\"measurand\":\"Current.Import\",\"phase\":\"L3\"},"
           "{\"value\":\"230.2\",\"unit\":\"V\",\"measurand\":\"Voltage\",\"phase\":\"L3-N\"}]}]}",
           stamp, c->energy);
  call(c, "MeterValues", text);
}

static void reply(struct charger *c, const char *id, const char *payload) {
  char text[ROOM];
  int count = snprintf(text, sizeof text, "[3,\"%s\",%s]", id, payload);
  frame(c, 1, text, (size_t)count);
}

/// The value after "key":, as far as it fits; no content of ours has such a text in a string.
static bool member(const char *text, const char *key, char *value, size_t most) {
  char wanted[64];
  int count = snprintf(wanted, sizeof wanted, "\"%s\":", key);
  const char *at = strstr(text, wanted);
  if (!at) return false;
  at += count;
  size_t length = strcspn(at, ",}]");
  if (length >= most) return false;
  memcpy(value, at, length);
  value[length] = 0;
  return true;
}

static void obey(struct charger *c, const char *id, const char *action, const char *text) {
  char value[64], payload[512];
  if (!strcmp(action, "RemoteStartTransaction")) {
    reply(c, id, "{\"status\":\"Accepted\"}");
    snprintf(payload, sizeof payload, "{\"connectorId\":1,\"idTag\":%s,\"meterStart\":%ld,\"timestamp\":\"%s\"}",
             member(text, "idTag", value, sizeof value) ? value : "\"X\"", c->energy, stamp);
    call(c, "StartTransaction", payload);
  } else if (!strcmp(action, "RemoteStopTransaction")) {
    reply(c, id, "{\"status\":\"Accepted\"}");
    snprintf(payload, sizeof payload, "{\"transactionId\":%s,\"meterStop\":%ld,\"timestamp\":\"%s\",\"reason\":\"Remote\"}",
             member(text, "transactionId", value, sizeof value) ? value : "0", c->energy, stamp);
    call(c, "StopTransaction", payload);
  } else if (!strcmp(action, "SetChargingProfile")) {
    if (!member(text, "limit", c->limit, sizeof c->limit)) c->limit[0] = 0;
    c->unit = member(text, "chargingRateUnit", value, sizeof value) ? value[1] : 'A';
    reply(c, id, "{\"status\":\"Accepted\"}");
  } else if (!strcmp(action, "GetCompositeSchedule")) {
    snprintf(payload, sizeof payload,
             "{\"status\":\"Accepted\",\"connectorId\":%s,\"scheduleStart\":\"%s\",\"chargingSchedule\":{\"duration\":60,"
             "\"chargingRateUnit\":\"%c\",\"chargingSchedulePeriod\":[{\"startPeriod\":0,\"limit\":%s}]}}",
             member(text, "connectorId", value, sizeof value) ? value : "1", stamp, c->unit ? c->unit : 'A', c->limit[0] ? c->limit : "32");
    reply(c, id, payload);
  } else if (!strcmp(action, "UnlockConnector")) {
    reply(c, id, "{\"status\":\"Unlocked\"}");
  } else if (!strcmp(action, "GetConfiguration")) {
    reply(c, id, "{\"configurationKey\":[]}");
  } else if (!strcmp(action, "GetLocalListVersion")) {
    reply(c, id, "{\"listVersion\":-1}");
  } else if (!strcmp(action, "ChangeConfiguration") || !strcmp(action, "ClearChargingProfile")) {
    reply(c, id, "{\"status\":\"Accepted\"}");
  } else {
    reply(c, id, "{\"status\":\"NotImplemented\"}");
  }
}

static void message(struct charger *c, const char *text) {
  char id[64], action[64];
  if (sscanf(text, "[3,\"%63[^\"]\"", id) == 1) {
    unsigned number = (unsigned)strtoul(id, NULL, 10);
    if (measuring && answers < room) times[answers++] = (float)(now() - c->asked[number % ASKED]);
    if (c->phase == BOOTING) {
      if (!strstr(text, "\"Accepted\"")) return put_off(c, 1);
      c->phase = LIVING, living++, shaking--;
      call(c, "StatusNotification", "{\"connectorId\":1,\"errorCode\":\"NoError\",\"status\":\"Charging\"}");
    }
  } else if (sscanf(text, "[2,\"%63[^\"]\",\"%63[^\"]\"", id, action) == 2) {
    obey(c, id, action, text);
  } else {
    errors++;
    if (getenv("SHOW_ERRORS")) fprintf(stderr, "%s\n", text);
  }
}

/// How much of it was used up.
static size_t take(struct charger *c, char *data, size_t count) {
  size_t used = 0;
  if (c->phase == UPGRADING) {
    char *end = memmem(data, count, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    int status = count > 12 ? atoi(data + 9) : 0;
    statuses[status > 0 && status < 600 ? status : 0]++;
    if (status != 101) return put_off(c, 1), count;
    used = (size_t)(end - data) + 4;
    c->phase = BOOTING;
    char payload[128];
    snprintf(payload, sizeof payload, "{\"chargePointVendor\":\"V\",\"chargePointModel\":\"M\",\"chargePointSerialNumber\":\"CP-%u\"}", c->number);
    call(c, "BootNotification", payload);
  }
  while (c->phase >= BOOTING && count - used >= 2) {
    uint8_t *at = (uint8_t *)data + used;
    size_t length = at[1] & 127, head = 2;
    if (length == 126) {
      if (count - used < 4) break;
      length = (size_t)at[2] << 8 | at[3], head = 4;
    }
    if (count - used < head + length) break;
    used += head + length;
    char text[ROOM];
    if (length >= sizeof text) exit(2);
    memcpy(text, at + head, length);
    text[length] = 0;
    switch (at[0] & 15) {
    case 1: message(c, text); break;
    case 8: return put_off(c, 1), count;
    case 9: frame(c, 10, text, length); break;
    }
  }
  return used;
}

static void receive(struct charger *c) {
  static char data[ROOM * 2];
  while (c->phase >= UPGRADING) {
    size_t before = c->count;
    if (before) memcpy(data, c->kept, before);
    ssize_t got = c->tls ? SSL_read(c->tls, data + before, (int)(sizeof data - before)) : recv(c->fd, data + before, sizeof data - before, 0);
    if (got <= 0) {
      bool later = c->tls ? SSL_get_error(c->tls, (int)got) == SSL_ERROR_WANT_READ : got < 0 && errno == EAGAIN;
      if (!later) put_off(c, 1);
      return;
    }
    size_t count = before + (size_t)got, used = take(c, data, count);
    if (c->phase == AWAY) return;
    free(c->kept);
    c->kept = NULL, c->count = count - used;
    if (c->count) memcpy(c->kept = malloc(c->count), data + used, c->count);
    // A whole message mostly is all there is; epoll says so where it is not.
    if (!c->tls && (size_t)got < sizeof data - before) return;
  }
}

static void upgrade(struct charger *c) {
  char text[512];
  c->phase = UPGRADING;
  int count = snprintf(text, sizeof text,
                       "GET /ocpp/%s-%u HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n",
                       options.strangers ? "XX" : "CP", c->number);
  give(c, text, (size_t)count);
}

static void shake(struct charger *c) {
  int done = SSL_connect(c->tls);
  if (done == 1) return upgrade(c);
  int why = SSL_get_error(c->tls, done);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    if (getenv("SHOW_ERRORS")) ERR_print_errors_fp(stderr);
    ERR_clear_error();
    put_off(c, 1);
  }
}

static void start(struct charger *c) {
  int one = 1;
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (options.strangers ? 100 + c->number % (unsigned)options.addresses : c->number % 8));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) fail("bind");
  c->phase = CONNECTING, c->since = now(), shaking++;
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) return put_off(c, 1);
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = (uint32_t)(c - chargers)};
  epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void connected(struct charger *c) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(c - chargers)};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
  if (!context) return upgrade(c);
  c->phase = SHAKING;
  c->tls = SSL_new(context);
  SSL_set_fd(c->tls, c->fd);
  SSL_set1_host(c->tls, "localhost");
  SSL_set_tlsext_host_name(c->tls, "localhost");
  shake(c);
}

static void serve(double until) {
  struct epoll_event ready[256];
  double left = until - now();
  int wait = left <= 0 ? 0 : left > 0.05 ? 50 : (int)(left * 1e3) + 1;
  int count = epoll_wait(poller, ready, 256, wait);
  for (int i = 0; i < count; i++) {
    if (ready[i].data.u32 == INPUT) continue;
    struct charger *c = &chargers[ready[i].data.u32];
    switch (c->phase) {
    case AWAY: break;
    case CONNECTING: ready[i].events & (EPOLLERR | EPOLLHUP) ? put_off(c, 1) : connected(c); break;
    case SHAKING: shake(c); break;
    default: receive(c);
    }
  }
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double *phases;
static int by_phase(const void *a, const void *b) {
  double x = phases[*(const int *)a], y = phases[*(const int *)b];
  return (x > y) - (x < y);
}

/// Something that all do once a period, each at a moment of its own.
struct round {
  double period, begin, *phase;
  int *order, next;
  long turn;
};

static struct round plan(double period) {
  struct round r = {.period = period, .begin = now()};
  r.phase = calloc((size_t)options.count, sizeof *r.phase);
  r.order = calloc((size_t)options.count, sizeof *r.order);
  for (int i = 0; i < options.count; i++) r.phase[i] = drand48() * period, r.order[i] = i;
  phases = r.phase;
  qsort(r.order, (size_t)options.count, sizeof *r.order, by_phase);
  return r;
}

static double due(struct round *r) { return r->begin + (double)r->turn * r->period + r->phase[r->order[r->next]]; }

static struct charger *step(struct round *r) {
  struct charger *c = &chargers[r->order[r->next]];
  if (++r->next == options.count) r->next = 0, r->turn++;
  return c;
}

static void connect_all(void) {
  double begin = now(), said = begin;
  int next = 0;
  while (living < options.count) {
    double time = now();
    stamp_now();
    // Those that were refused come again before others come for the first time.
    for (int i = 0; i < next && shaking < options.together; i++)
      if (chargers[i].phase == AWAY && chargers[i].again <= time) start(&chargers[i]);
    while (next < options.count && shaking < options.together) start(&chargers[next++]);
    for (int i = 0; i < next; i++)
      if (chargers[i].phase != AWAY && chargers[i].phase != LIVING && time - chargers[i].since > 60) put_off(&chargers[i], 1);
    for (double end = now() + 0.01; now() < end;) serve(end);
    if (now() - said > 10) fprintf(stderr, "%d of %d, %d refused, %d lost\n", living, options.count, refused, lost), said = now();
  }
  printf("{\"connected\":%d,\"seconds\":%.2f,\"refused\":%d}\n", living, now() - begin, refused);
  fflush(stdout);
}

static void strangers(void) {
  double begin = now();
  int begun = 0;
  while (now() - begin < options.seconds) {
    int wanted = (int)((now() - begin) * options.strangers);
    for (int i = 0; i < options.count && begun < wanted; i++)
      if (chargers[i].phase == AWAY) chargers[i].number = (unsigned)begun++, start(&chargers[i]);
    // What found no place is not made up for.
    begun = wanted > begun ? wanted : begun;
    serve(now() + 0.002);
  }
  printf("{\"strangers\":%d,\"unknown\":%u,\"too_many\":%u,\"other\":%d}\n", begun, statuses[404], statuses[429],
         refused - (int)(statuses[404] + statuses[429]));
}

int main(int count, char **arguments) {
  static const struct option names[] = {
    {"port", 1, 0, 'p'}, {"count", 1, 0, 'c'}, {"seconds", 1, 0, 's'}, {"first", 1, 0, 'f'}, {"meter", 1, 0, 'm'},
    {"beat", 1, 0, 'b'}, {"together", 1, 0, 't'}, {"ca", 1, 0, 'a'}, {"strangers", 1, 0, 'x'}, {"addresses", 1, 0, 'd'}, {0, 0, 0, 0}};
  for (int o; (o = getopt_long(count, arguments, "", names, NULL)) != -1;) switch (o) {
    case 'p': options.port = atoi(optarg); break;
    case 'c': options.count = atoi(optarg); break;
    case 's': options.seconds = atof(optarg); break;
    case 'f': options.first = atoi(optarg); break;
    case 'm': options.meter = atof(optarg); break;
    case 'b': options.beat = atof(optarg); break;
    case 't': options.together = atoi(optarg); break;
    case 'a': options.ca = optarg; break;
    case 'x': options.strangers = atoi(optarg); break;
    case 'd': options.addresses = atoi(optarg) > 0 ? atoi(optarg) : 1; break;
    default: return 2;
    }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN); // of connections that the host ends while they begin
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (options.strangers) options.count = 2000;
  chargers = calloc((size_t)options.count, sizeof *chargers);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!chargers || poller < 0) fail("start");
  for (int i = 0; i < options.count; i++) chargers[i].number = (unsigned)(options.first + i), chargers[i].fd = -1;
  if (options.ca) {
    context = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(context, options.ca, NULL) != 1) return 1;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  }
  if (options.strangers) return strangers(), 0;
  room = 8 << 20;
  times = calloc(room, sizeof *times);
  srand48(options.first + 1);
  connect_all();

  struct epoll_event event = {.events = EPOLLIN, .data.u32 = INPUT};
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
  fcntl(0, F_SETFL, O_NONBLOCK);
  struct round meters = plan(options.meter), beats = plan(options.beat);
  double end = 0;
  for (;;) {
    double time = now();
    stamp_now();
    for (int i = 0; i < options.count && lost; i++)
      if (chargers[i].phase == AWAY && chargers[i].again <= time && shaking < options.together) start(&chargers[i]);
    while (due(&meters) <= time) {
      struct charger *c = step(&meters);
      if (c->phase == LIVING) meter(c);
    }
    while (due(&beats) <= time) {
      struct charger *c = step(&beats);
      if (c->phase == LIVING) call(c, "Heartbeat", "{}");
    }
    char line[16] = "";
    ssize_t got = read(0, line, sizeof line - 1);
    if (got == 0) return 0;
    if (got > 0 && !measuring) measuring = true, end = time + atof(line), lost = errors = 0, answers = 0;
    if (measuring && time >= end) {
      measuring = false;
      qsort(times, answers, sizeof *times, by_size);
      printf("{\"answers\":%zu,\"p50\":%.6f,\"p99\":%.6f,\"most\":%.6f,\"lost\":%d,\"errors\":%d}\n", answers,
             answers ? times[answers / 2] : -1, answers ? times[answers * 99 / 100] : -1, answers ? times[answers - 1] : -1, lost, errors);
      fflush(stdout);
    }
    double next = due(&meters) < due(&beats) ? due(&meters) : due(&beats);
    serve(next < time + 0.05 ? next : time + 0.05);
  }
}
