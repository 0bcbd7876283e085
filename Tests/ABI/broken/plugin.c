// SPDX-License-Identifier: Apache-2.0
// The smallest plugin that works. make.sh breaks it in one place at a time, by the macros below or afterwards.
#include <busbar/busbar.h>

#ifndef ABI
#define ABI BB_ABI_VERSION
#endif
#ifndef ADAPTER
#define ADAPTER "sample"
#endif
#ifndef ID
#define ID "org.example.sample"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef ENTRY
#define ENTRY busbar_plugin_v0
#endif

static bb_link_id_t links[1024]; // a link's state is a place in here: 0 is never one
static bb_point_id_t power;

static bb_status_t sample_open(const bb_host_t *host, const bb_call_t *call, const bb_link_config_t *config,
                               void **state) {
  (void)host, (void)call;
  if (config->link >= 1024) return BB_FAIL(BB_CLASS_CONFIG, BB_REASON_RANGE);
  links[config->link] = config->link;
  *state = &links[config->link];
  return BB_OK;
}

static void sample_close(const bb_host_t *host, const bb_call_t *call, void *state) {
  (void)host, (void)call, (void)state;
}

static bb_status_t sample_add(const bb_host_t *host, const bb_call_t *call, void *state,
                              const bb_device_config_t *config, void **device_state) {
  const bb_point_desc_t point = {.name = BB_STR("power"), .type = BB_TYPE_F64, .kind = BB_KIND_GAUGE,
                                 .unit = BB_UNIT_W};
  (void)call, (void)device_state;
  return host->declare_points(host, *(bb_link_id_t *)state, config->device, &point, 1, sizeof point, &power);
}

static bb_status_t sample_poll(const bb_host_t *host, const bb_call_t *call, void *state, bb_device_id_t device,
                               void *device_state,
                               const bb_point_id_t *due, uint32_t count) {
  (void)call, (void)device, (void)device_state;
  if (count == 0) return BB_OK;
  bb_batch_t *batch = host->batch_begin(host, *(bb_link_id_t *)state, 1, 0, 0);
  if (!batch) return BB_OK;
  batch->samples[batch->count++] = (bb_sample_t){.point = due[0], .type = BB_TYPE_F64, .value.f64 = 42};
  return host->batch_commit(host, *(bb_link_id_t *)state, batch);
}

static const bb_adapter_t adapter = {.size = sizeof adapter, .id = BB_STR(ADAPTER), .open = sample_open,
                                     .close = sample_close,
    .device_add = sample_add, .poll = sample_poll};
static const bb_adapter_t *const adapters[] = {&adapter};
static const bb_plugin_t plugin = {.size = sizeof plugin, .abi = ABI, .id = BB_STR(ID), .version = BB_STR(VERSION),
                                   .adapters = adapters,
    .adapter_count = 1};

#ifdef UNRESOLVED
extern int32_t a_function_that_no_library_has(void);
#endif
#ifdef CONSTRUCTOR
// Writes a file as soon as the library is loaded: proof that somebody executed it.
#include <stdio.h>
__attribute__((constructor)) static void executed(void) {
  FILE *file = fopen(CONSTRUCTOR, "w");
  if (file) fclose(file);
}
#endif

BB_EXPORT const bb_plugin_t *ENTRY(const bb_host_t *host) {
#ifdef REFUSES
  return (void)host, (const bb_plugin_t *)NULL;
#endif
#ifdef UNRESOLVED
  if (a_function_that_no_library_has()) return NULL;
#endif
  return BB_ABI_MAJOR_OF(host->abi) == BB_ABI_MAJOR ? &plugin : NULL;
}

#ifndef NO_MANIFEST
BB_MANIFEST_JSON({
  "id": "org.example.sample", "version": "1.0.0", "abi": {"major": 0, "minor": 1},
  "adapters": [{"id": "sample", "title": "Sample", "endpoints": {}, "kinds": ["load"], "points": ["power"],
                "config": {"type": "object", "properties": {}}}]
});
#endif
