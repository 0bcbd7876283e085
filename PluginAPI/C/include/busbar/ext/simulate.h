// SPDX-License-Identifier: Apache-2.0
// busbar.simulate/1 (plugin side): answers on an endpoint as a template describes. The host listens, or opens the serial
// line, and hands each connection over.
#ifndef BUSBAR_EXT_SIMULATE_H
#define BUSBAR_EXT_SIMULATE_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_INTERFACE_SIMULATE "busbar.simulate/1"

// Table. Its states are its own: no link is open.
typedef struct bb_simulate_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // Makes a simulated device out of template bodies: `documents` is a JSON array of
  // {"template": body, "config": device settings, "set": {"point": value, …}, "probe": the template's own: what the device has to
  // hold to be recognised}, or of one {"trace": {"frames": [{"ms": 0.5,
  // "sent": "0A0B"}, {"ms": 3, "received": "0C0D"}, {"ms": 9, "event": "closed"}, …]}}: answer as the device in the trace
  // did (TRACE.md; "sent" is what the device was asked). Any of them may hold "faults": ["delay=500ms,every=10", …] in the
  // adapter's own words and "seed", a number; they concern all devices together. What is not understood is refused with
  // all that would be. `finish` is called exactly when *state is not NULL afterwards. [adapter]
  bb_status_t (*BB_NULLABLE start)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, bb_str_t documents, void *BB_NULLABLE *BB_NONNULL state);

  // Answers on one connection until the far end closes or the call is cancelled. Connections run in parallel. May block
  // without limit. `kind` is BB_STREAM_…; the descriptor stays the host's. [any]
  bb_status_t (*BB_NULLABLE serve)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, int32_t fd, uint32_t kind);

  // Sets a point of the simulated device to a value, in the point's own unit. [any]
  bb_status_t (*BB_NULLABLE set)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, bb_str_t point, bb_str_t value);

  // Ends it. No serve is running any more. [adapter]
  void (*BB_NULLABLE finish)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state);
} bb_simulate_interface_t;

#ifdef __cplusplus
}
#endif
#endif
