// SPDX-License-Identifier: Apache-2.0
// busbar.async/1: a command that returns BB_PENDING and is completed later, so that it does not hold its link meanwhile.
#ifndef BUSBAR_EXT_ASYNC_H
#define BUSBAR_EXT_ASYNC_H

#include "commands.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_ASYNC "busbar.async/1"
#define BB_INTERFACE_ASYNC "busbar.async/1"

// Table, host side.
typedef struct bb_async_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Ends the command whose call had this token and returned BB_PENDING: with `outcome`, or with a failed status, which says
  // that nothing was sent. `text` is the sentence that belongs to it, or the action's answer as a JSON object, at most 48 KiB.
  // UNSUPPORTED where nobody waits for it any more. [copied] [any]
  bb_status_t (*BB_NULLABLE complete)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint64_t token, bb_status_t status,
                                      const bb_outcome_t *BB_NULLABLE outcome, bb_str_t text);
} bb_async_service_t;

// Table, plugin side. Must not block.
typedef struct bb_async_interface {
  uint32_t size;
  uint32_t max_pending; // commands of one link that may be pending at a time; 0 = 1, at most 64

  // The host waits no longer for this token: its time is over. What was sent stays sent. [link]
  void (*BB_NULLABLE abandon)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint64_t token);
} bb_async_interface_t;

#ifdef __cplusplus
}
#endif
#endif
