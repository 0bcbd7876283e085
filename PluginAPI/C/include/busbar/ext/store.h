// SPDX-License-Identifier: Apache-2.0
// busbar.store/1 (host side): small values of a link that survive restarts, such as a last counter or a session token.
#ifndef BUSBAR_EXT_STORE_H
#define BUSBAR_EXT_STORE_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_STORE "busbar.store/1"

// Table. Keys are up to 64 bytes, values up to 4,096 bytes, up to 64 keys a link.
typedef struct bb_store_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Reads a value. UNSUPPORTED where there is none; `length` is what was needed. [in-call]
  bb_status_t (*BB_NULLABLE get)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, bb_link_id_t link, bb_str_t key, uint8_t *BB_NONNULL out, uint32_t capacity, uint32_t *BB_NONNULL length);

  // Writes a value; it is on disk when the call returns. An empty value removes the key. [copied] [in-call]
  bb_status_t (*BB_NULLABLE set)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, bb_link_id_t link, bb_str_t key, bb_bytes_t value);
} bb_store_service_t;

#ifdef __cplusplus
}
#endif
#endif
