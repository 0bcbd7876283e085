// SPDX-License-Identifier: Apache-2.0
// busbar.event/1: descriptors to watch and timers, for adapters whose devices speak first.
#ifndef BUSBAR_EXT_EVENT_H
#define BUSBAR_EXT_EVENT_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_EVENT "busbar.event/1"
#define BB_INTERFACE_EVENT "busbar.event/1"

enum {
  BB_WATCH_READ = 1,
  BB_WATCH_WRITE = 2
};

// Table, host side.
typedef struct bb_event_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Watches a descriptor of the link, level-triggered. Interest 0 ends the watch. [link]
  bb_status_t (*BB_NULLABLE watch)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, int32_t fd, uint32_t interest, uint64_t tag);

  // Starts or restarts the timer `tag`. Period 0 = once; delay below 0 = stop. Nanoseconds. [link]
  bb_status_t (*BB_NULLABLE timer)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, int64_t delay_ns, int64_t period_ns, uint64_t tag);

  // Makes the host call on_wake of the link soon. Wakes may be folded together. [any]
  bb_status_t (*BB_NULLABLE wake)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint64_t tag);
} bb_event_service_t;

// Table, plugin side. None may block.
typedef struct bb_event_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // A watched descriptor is ready. [link]
  bb_status_t (*BB_NULLABLE on_ready)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, int32_t fd, uint32_t ready, uint64_t tag);

  // A timer is due. [link]
  bb_status_t (*BB_NULLABLE on_timer)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint64_t tag);

  // Somebody called wake. [link]
  bb_status_t (*BB_NULLABLE on_wake)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint64_t tag);
} bb_event_interface_t;

#ifdef __cplusplus
}
#endif
#endif
