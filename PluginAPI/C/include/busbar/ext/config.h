// SPDX-License-Identifier: Apache-2.0
// busbar.config/1 (host side): settings by JSON pointer (RFC 6901), for plugins that want no JSON parser.
#ifndef BUSBAR_EXT_CONFIG_H
#define BUSBAR_EXT_CONFIG_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_CONFIG "busbar.config/1"

// Table. `document` is the JSON text that open or device_add was handed.
typedef struct bb_config_service {
  uint32_t size;
  uint32_t reserved; // 0

  // A number, or a boolean as 0 or 1. UNSUPPORTED where there is none at that place. [any]
  bb_status_t (*BB_NULLABLE get_number)(const bb_host_t *BB_NONNULL host, bb_str_t document, bb_str_t pointer, double *BB_NONNULL value);

  // A text, or any other value as its JSON text. `length` is what was needed; NO_SPACE where capacity was less. [any]
  bb_status_t (*BB_NULLABLE get_text)(const bb_host_t *BB_NONNULL host, bb_str_t document, bb_str_t pointer, uint8_t *BB_NONNULL out, uint32_t capacity, uint32_t *BB_NONNULL length);
} bb_config_service_t;

#ifdef __cplusplus
}
#endif
#endif
