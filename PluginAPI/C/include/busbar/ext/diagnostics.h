// SPDX-License-Identifier: Apache-2.0
// busbar.diagnostics/1: frames on the wire, named faults that are raised and cleared, and a snapshot for support.
#ifndef BUSBAR_EXT_DIAGNOSTICS_H
#define BUSBAR_EXT_DIAGNOSTICS_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_DIAGNOSTICS "busbar.diagnostics/1"
#define BB_INTERFACE_DIAGNOSTICS "busbar.diagnostics/1"

enum {
  BB_TRACE_SENT = 1,
  BB_TRACE_RECEIVED = 2,
  BB_TRACE_TIMEOUT = 3,  // no more came in time; without a frame
  BB_TRACE_DISCARDED = 4 // bytes that answer no question and were thrown away
};

// Table, host side.
typedef struct bb_diagnostics_service {
  uint32_t size;
  uint32_t reserved; // 0

  // 1 while frames of this link are kept, else 0: ask before building a frame only for the trace. [any]
  int32_t (*BB_NULLABLE tracing)(const bb_host_t *BB_NONNULL host, bb_link_id_t link);

  // One frame, as it was on the wire but for secrets. What goes through `exchange` of busbar.stream/1 the host sees
  // itself: this is for frames that move another way. At most 4,096 bytes are kept. [copied] [link]
  void (*BB_NULLABLE trace)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint32_t direction, bb_bytes_t frame);

  // Raises (active 1) or clears (0) a named fault of a device, or of the link with device 0. The host reports changes
  // only. Names are CamelCase, at most 64 bytes: "CommunicationFault". [copied] [link]
  void (*BB_NULLABLE problem)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_device_id_t device, bb_str_t name, int32_t active, bb_str_t text);
} bb_diagnostics_service_t;

// Table, plugin side.
typedef struct bb_diagnostics_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // Writes a JSON object without secrets about the link. `length` is what was needed. [link]
  bb_status_t (*BB_NULLABLE snapshot)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint8_t *BB_NONNULL out, uint32_t capacity, uint32_t *BB_NONNULL length);
} bb_diagnostics_interface_t;

#ifdef __cplusplus
}
#endif
#endif
