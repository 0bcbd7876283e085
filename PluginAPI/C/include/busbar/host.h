// SPDX-License-Identifier: Apache-2.0
// What the host always offers. Everything else is a service, asked for by id.
//
// Tags: [load] once, on the loading thread · [link] one at a time per link · [adapter] one at a time per adapter ·
// [in-call] only on the thread inside a call, with that call · [any] from any thread.
#ifndef BUSBAR_HOST_H
#define BUSBAR_HOST_H

#include "point.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bb_host bb_host_t;

enum {
  BB_LOG_ERROR = 3, // numbers of syslog
  BB_LOG_WARNING = 4,
  BB_LOG_NOTICE = 5,
  BB_LOG_INFO = 6,
  BB_LOG_DEBUG = 7
};

// Who a device is. Headed record. An empty text says nothing and changes nothing.
typedef struct bb_identity {
  uint32_t size;
  uint32_t reserved; // 0
  bb_str_t vendor;
  bb_str_t model;
  bb_str_t serial;   // or the MAC address where there is no serial number
  bb_str_t firmware;
  bb_str_t detail;       // JSON object: {"actions": [{"name": "charge.start", "arguments": {JSON schema}, "idempotent": true}, …]}
} bb_identity_t;

// Table. Static: lives until the process ends.
struct bb_host {
  uint32_t size;
  uint32_t abi; // BB_ABI_VERSION of the host
  void *BB_NULLABLE context; // the host's own

  // A service table by id ("busbar.stream/1"), NULL where this host does not offer it. [static] [any]
  const void *BB_NULLABLE (*BB_NULLABLE get_service)(const bb_host_t *BB_NONNULL host, bb_str_t id);

  // A line for the host's log about a link, 0 for the plugin as a whole. At most 4,096 bytes are kept. [copied] [any]
  void (*BB_NULLABLE log)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, int32_t level, bb_str_t text);

  // The sentence that belongs to the failure this call is about to return, or several, a line each. At most 8,192 bytes are kept. [copied] [in-call]
  void (*BB_NULLABLE explain)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, bb_str_t text);

  // 1 once the host wants this call to end early, else 0. [any]
  int32_t (*BB_NULLABLE cancelled)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call);

  // Declares points of a device and writes one id for each to `out`. Idempotent by (device, name). At most 1,024 points
  // a device. [copied] [link]
  bb_status_t (*BB_NULLABLE declare_points)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_device_id_t device,
                                            const bb_point_desc_t *BB_NONNULL points, uint32_t count, uint32_t stride,
                                            bb_point_id_t *BB_NONNULL out);

  // Tells who the device is, as far as it is known. May be repeated. [copied] [link]
  bb_status_t (*BB_NULLABLE identify)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_device_id_t device,
                                      const bb_identity_t *BB_NONNULL identity);

  // Lends a slot for up to `samples` samples (at most 1,024) and `arena_bytes` bytes of text (at most 65,536). NULL is
  // back-pressure: return and try next time. [borrow until commit] [link]
  bb_batch_t *BB_NULLABLE (*BB_NULLABLE batch_begin)(const bb_host_t *BB_NONNULL host, bb_link_id_t link,
                                                     uint32_t samples, uint32_t arena_bytes, uint32_t flags);

  // Takes the slot back. Bad samples are dropped and counted against the plugin. [link]
  bb_status_t (*BB_NULLABLE batch_commit)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_batch_t *BB_NONNULL batch);
};

#ifdef __cplusplus
}
#endif
#endif
