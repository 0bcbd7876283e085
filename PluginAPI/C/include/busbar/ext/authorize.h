// SPDX-License-Identifier: Apache-2.0
// busbar.authorize/1: may this tag charge here? Lists, cache and rules for when nobody can be asked are the host's.
#ifndef BUSBAR_EXT_AUTHORIZE_H
#define BUSBAR_EXT_AUTHORIZE_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_AUTHORIZE "busbar.authorize/1"
#define BB_INTERFACE_AUTHORIZE "busbar.authorize/1"

// Numbers are never reused. 0 is no verdict.
enum {
  BB_TAG_ACCEPTED = 1,
  BB_TAG_BLOCKED = 2,
  BB_TAG_EXPIRED = 3,
  BB_TAG_UNKNOWN = 4,
  BB_TAG_UNDECIDED = 5 // nobody could be asked, and the rules say nothing
};

// Headed record. The answer about one tag.
typedef struct bb_tag_verdict {
  uint32_t size;
  uint32_t verdict;    // BB_TAG_…
  bb_str_t group;      // parent id; empty where there is none
  int64_t expires_ms;  // Unix milliseconds; 0 = never
} bb_tag_verdict_t;

// Table, host side.
typedef struct bb_authorize_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Asks about a tag of at most 255 bytes; `on_verdict` answers with the same `ticket`, within 10 s. `kind` is the way it was
  // shown: "ISO14443", "Central", …, or empty. [copied] [link]
  bb_status_t (*BB_NULLABLE ask)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_device_id_t device, uint64_t ticket, bb_str_t tag, bb_str_t kind);

  // The local list as a JSON object {"version": 7, "tags": [{"tag": …, "verdict": "accepted", "group": …, "expires": ms}, …]}.
  // `length` is what was needed; NO_SPACE where capacity was less. [link]
  bb_status_t (*BB_NULLABLE list)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint8_t *BB_NONNULL out, uint32_t capacity, uint32_t *BB_NONNULL length);
} bb_authorize_service_t;

// Table, plugin side. None may block.
typedef struct bb_authorize_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // The answer to `ask`. [link]
  bb_status_t (*BB_NULLABLE on_verdict)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint64_t ticket, const bb_tag_verdict_t *BB_NONNULL verdict);

  // The local list has changed. [link]
  bb_status_t (*BB_NULLABLE on_list)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state);
} bb_authorize_interface_t;

#ifdef __cplusplus
}
#endif
#endif
