// SPDX-License-Identifier: Apache-2.0
// A plugin that means harm, or is broken beyond what a host in the same process could survive. {"does": WORD} in the device's
// settings for poll and command, in the link's for open and close; a macro for what happens while it is loaded.
#define _GNU_SOURCE
#include <busbar/busbar.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/store.h>
#include <busbar/ext/stream.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT(literal) ((bb_str_t)BB_STR(literal))
#ifndef SECRET
#define SECRET "/etc/shadow"
#endif
#ifndef ID
#define ID "org.example.hostile"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif

typedef struct {
  bb_link_id_t link;
  bb_point_id_t point;
  char does[32];
} state_t;

static const bb_config_service_t *config_service;
static const bb_diagnostics_service_t *diagnostics;
static const bb_store_service_t *store;

// What it tries against the host, and how far it gets: "name=0" is a success, else errno.
static char tried[2048];
static int32_t parent;

static void note(const char *name, long result) {
  size_t used = strlen(tried);
  snprintf(tried + used, sizeof tried - used, "%s=%d ", name, result < 0 ? errno : 0);
}

static void attempt(void) {
  char bytes[16], path[64];
  tried[0] = 0;
  parent = getppid();
  note("passwd", open("/etc/passwd", O_RDONLY));
  note("secret", open(SECRET, O_RDONLY));
  note("root", open("/", O_RDONLY | O_DIRECTORY));
  note("tmp", open("/tmp/busbar-hostile", O_RDWR | O_CREAT, 0600));
  snprintf(path, sizeof path, "/proc/%d/mem", parent);
  note("mem", open(path, O_RDWR));
  snprintf(path, sizeof path, "/proc/%d/environ", parent);
  note("environ", open(path, O_RDONLY));
  note("openat2", syscall(437, AT_FDCWD, "/etc/passwd", bytes, 24));
  struct iovec here = {bytes, 8}, there = {&parent, 8};
  note("vm", process_vm_readv(parent, &here, 1, &there, 1, 0));
  note("ptrace", ptrace(PTRACE_ATTACH, parent, 0, 0));
  note("kill", kill(parent, 0));
  note("term", kill(parent, SIGTERM));
  note("tgkill", syscall(SYS_tgkill, parent, parent, 0));
  note("queue", sigqueue(parent, 0, (union sigval){0}));
  note("pidfd", syscall(434, parent, 0));
  note("owner", fcntl(3, F_SETOWN, parent));
  note("socket", socket(AF_INET, SOCK_STREAM, 0));
  note("unix", socket(AF_UNIX, SOCK_STREAM, 0));
  note("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1883), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  note("connect", connect(3, (struct sockaddr *)&address, sizeof address));
  note("sendto", sendto(3, bytes, 1, 0, (struct sockaddr *)&address, sizeof address));
  note("exec", execl("/bin/sh", "sh", "-c", "true", (char *)0));
  note("execat", syscall(SYS_execveat, 4, "", (char *[]){0}, (char *[]){0}, 0x1000));
  pid_t child = fork();
  if (child == 0) _exit(0);
  note("fork", child);
  note("clone3", syscall(435, bytes, 0));
  note("uring", syscall(425, 1, bytes));
  note("memfd", syscall(SYS_memfd_create, "x", 0));
  void *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  note("shared", shared == MAP_FAILED ? -1 : 0);
  note("tiocsti", ioctl(0, TIOCSTI, "x"));
  note("unshare", unshare(0x10000000));
  note("prctl", prctl(PR_SET_PDEATHSIG, 0));
  note("setuid", setuid(0));
  note("setrlimit", syscall(SYS_setrlimit, 2, (long[]){-1, -1}));
  note("bpf", syscall(321, 0, 0, 0));
  note("keyctl", syscall(250, 0, 0));
}

#ifdef IN_CONSTRUCTOR
__attribute__((constructor)) static void early(void) { IN_CONSTRUCTOR; }
#endif

static int is(const state_t *state, const char *word) { return strcmp(state->does, word) == 0; }

static void read_word(const bb_host_t *host, bb_str_t document, state_t *state) {
  uint32_t length = 0;
  char word[32] = "";
  if (config_service->get_text(host, document, TEXT("/does"), (uint8_t *)word, sizeof word - 1, &length) == BB_OK)
    memcpy(state->does, word, sizeof word);
}

static void hang(void) { for (;;) pause(); }
static void spin(void) { for (volatile uint64_t i = 0;; i++) {} }

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int overflow(volatile int depth) {
  volatile char room[4096];
  room[0] = (char)depth;
  return overflow(depth + 1) + room[0];
}

static void *idle(void *argument) {
  hang();
  return argument;
}

static void *work(void *argument) {
  spin();
  return argument;
}

static void flood_samples(const bb_host_t *host, const state_t *state, bb_point_id_t point, int batches) {
  for (int i = 0; i < batches; i++) {
    bb_batch_t *batch = host->batch_begin(host, state->link, 1000, 0, 0);
    if (!batch) continue;
    for (; batch->count < 1000; batch->count++)
      batch->samples[batch->count] = (bb_sample_t){.point = point, .type = BB_TYPE_F64, .value.f64 = i};
    host->batch_commit(host, state->link, batch);
  }
}

static void do_harm(const bb_host_t *host, const bb_call_t *call, state_t *state, bb_device_id_t device) {
  (void)call;
  if (is(state, "segfault")) *(volatile int *)8 = 1;
  if (is(state, "abort")) abort();
  if (is(state, "trap")) __builtin_trap();
  if (is(state, "overflow")) overflow(0);
  if (is(state, "exit")) exit(7);
  if (is(state, "hang")) hang();
  if (is(state, "spin")) spin();
  if (is(state, "says")) {
    fprintf(stderr, "the last words\n");
    abort();
  }
  if (is(state, "double-free")) {
    void *volatile block = malloc(64);
    free(block);
    free(block);
  }
  if (is(state, "leak"))
    for (int i = 0; i < 1024; i++) memset(malloc(1 << 20), 1, 1 << 20);
  if (is(state, "spins-behind")) {
    pthread_t thread;
    pthread_create(&thread, 0, work, 0);
  }
  if (is(state, "threads")) {
    pthread_t thread;
    for (int i = 0; i < 10000; i++) pthread_create(&thread, 0, idle, 0);
  }
  if (is(state, "closes"))
    for (int i = 0; i < 64; i++) close(i);
  if (is(state, "writes"))
    for (int i = 0; i < 64; i++) (void)!write(i, "this is no message", 18);
  if (is(state, "long-packet")) {
    char *packet = calloc(1, 100000);
    send(3, packet, 100000, 0);
  }
  if (is(state, "answers-nothing")) {
    // A whole packet: the result of a call that nobody made.
    uint8_t packet[] = {1, 0, 0x42, 0x42, 21, 0, 0, 0, 3, 9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    send(3, packet, sizeof packet, 0);
  }
  if (is(state, "flood-log"))
    for (int i = 0; i < 200000; i++) host->log(host, i % 2 ? state->link : 0, BB_LOG_ERROR, TEXT("look at me, look at me, look at me"));
  if (is(state, "flood-output"))
    for (int i = 0; i < 200000; i++) (void)!write(2, "noise on standard error, a line of it\n", 38);
  if (is(state, "flood-samples")) flood_samples(host, state, state->point, 20);
  if (is(state, "bad-samples")) flood_samples(host, state, 4711, 1000);
  if (is(state, "flood-problems"))
    for (int i = 0; i < 100000; i++) {
      char name[24];
      snprintf(name, sizeof name, "Problem%d", i);
      diagnostics->problem(host, state->link, device, (bb_str_t){name, (uint32_t)strlen(name), 0}, 1, TEXT("no end"));
    }
  if (is(state, "flood-identity"))
    for (int i = 0; i < 20000; i++) {
      char serial[24];
      snprintf(serial, sizeof serial, "S%d", i);
      bb_identity_t identity = {.size = sizeof identity, .serial = {serial, (uint32_t)strlen(serial), 0}};
      host->identify(host, state->link, device, &identity);
    }
  if (is(state, "flood-points"))
    for (int i = 1; i < 100000; i++) {
      bb_point_id_t number;
      char name[24];
      snprintf(name, sizeof name, "p%d", i);
      bb_point_desc_t point = {.name = {name, (uint32_t)strlen(name), 0}, .type = BB_TYPE_F64};
      host->declare_points(host, state->link, device + (uint32_t)i, &point, 1, sizeof point, &number);
    }
}

static bb_status_t tell_attempts(const bb_host_t *host, const bb_call_t *call) {
  host->explain(host, call, (bb_str_t){tried, (uint32_t)strlen(tried), 0});
  return BB_FAIL(BB_CLASS_DEVICE, BB_REASON_PLUGIN);
}

static bb_status_t hostile_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config, void **out) {
  config_service = host->get_service(host, TEXT(BB_SERVICE_CONFIG));
  diagnostics = host->get_service(host, TEXT(BB_SERVICE_DIAGNOSTICS));
  store = host->get_service(host, TEXT(BB_SERVICE_STORE));
  state_t *state = *out = calloc(1, sizeof *state);
  state->link = config->link;
  read_word(host, config->config, state);
  if (is(state, "attempted")) return tell_attempts(host, call);
  if (is(state, "attempts")) {
    attempt();
    return tell_attempts(host, call);
  }
  if (is(state, "open-hangs")) hang();
  return BB_OK;
}

static void hostile_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)host, (void)call;
  if (is(state, "close-hangs")) hang();
  free(state);
}

static bb_status_t hostile_add(const bb_host_t *host, const bb_call_t *call, void *link, const bb_device_config_t *config, void **out) {
  state_t *state = link;
  (void)call, (void)out;
  bb_point_desc_t point = {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE, .unit = BB_UNIT_W,
                           .flags = BB_POINT_WRITABLE, .detail = BB_STR("{\"safe\": 0}")};
  if (!is(state, "close-hangs")) read_word(host, config->device_config, state);
  bb_identity_t identity = {.size = sizeof identity, .vendor = BB_STR("Example"), .serial = BB_STR("1")};
  host->identify(host, state->link, config->device, &identity);
  return host->declare_points(host, state->link, config->device, &point, 1, sizeof point, &state->point);
}

static bb_status_t hostile_poll(const bb_host_t *host, const bb_call_t *call, void *link, bb_device_id_t device, void *device_state,
                                const bb_point_id_t *due, uint32_t count) {
  state_t *state = link;
  (void)device_state, (void)due, (void)count;
  // Once in its life, by the store: then it is well again.
  if (is(state, "once")) {
    uint8_t mark[1];
    uint32_t length;
    if (store->get(host, call, state->link, TEXT("mark"), mark, sizeof mark, &length) != BB_OK) {
      store->set(host, call, state->link, TEXT("mark"), (bb_bytes_t){(const uint8_t *)"1", 1, 0});
      abort();
    }
  }
  do_harm(host, call, state, device);
  bb_batch_t *batch = 0;
  // A host that does not keep up with the harm gives none for a moment.
  for (int i = 0; !batch && i < 50; i++) batch = host->batch_begin(host, state->link, 1, 0, 0);
  if (!batch) return BB_OK;
  batch->samples[batch->count++] = (bb_sample_t){.point = state->point, .type = BB_TYPE_F64, .value.f64 = 42};
  return host->batch_commit(host, state->link, batch);
}

static bb_status_t hostile_command(const bb_host_t *host, const bb_call_t *call, void *link, bb_device_id_t device,
                                   void *device_state, const bb_command_t *command, bb_outcome_t *outcome) {
  state_t *state = link;
  (void)host, (void)call, (void)device, (void)device_state, (void)command;
  if (is(state, "command-hangs")) hang();
  if (is(state, "command-dies")) abort();
  outcome->outcome = BB_OUTCOME_DONE;
  return BB_OK;
}

static const bb_commands_interface_t commands = {.size = sizeof commands, .command = hostile_command};
static const void *get_interface(bb_str_t id) {
  return id.length == strlen(BB_INTERFACE_COMMANDS) && memcmp(id.data, BB_INTERFACE_COMMANDS, id.length) == 0 ? &commands : NULL;
}

static const bb_adapter_t hostile = {.size = sizeof hostile, .id = BB_STR("hostile"), .open = hostile_open, .close = hostile_close,
    .device_add = hostile_add, .poll = hostile_poll, .get_interface = get_interface};
static const bb_adapter_t *const adapters[] = {&hostile};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = BB_ABI_VERSION, .id = BB_STR(ID),
    .version = BB_STR(VERSION), .adapters = adapters, .adapter_count = 1};

BB_EXPORT const bb_plugin_t *busbar_plugin_v0(const bb_host_t *host) {
#ifdef IN_ENTRY
  IN_ENTRY;
#endif
  (void)spin, (void)attempt;
  return (void)host, &plugin;
}

BB_MANIFEST("{ \"id\": \"" ID "\", \"version\": \"" VERSION "\", \"abi\": {\"major\": 0, \"minor\": 1},"
  "\"requires\": [\"busbar.config/1\"],"
  "\"adapters\": [{\"id\": \"hostile\", \"endpoints\": {\"device\": [\"tcp\"]}, \"kinds\": [\"load\"],"
  "\"config\": {\"type\": \"object\", \"properties\": {\"does\": {\"type\": \"string\"}}},"
  "\"link\": {\"type\": \"object\", \"properties\": {\"does\": {\"type\": \"string\"}}}}]}");
