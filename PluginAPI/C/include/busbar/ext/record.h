// SPDX-License-Identifier: Apache-2.0
// busbar.record/1 (host side): durable documents upward, such as a charging session.
#ifndef BUSBAR_EXT_RECORD_H
#define BUSBAR_EXT_RECORD_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_RECORD "busbar.record/1"

// Table.
typedef struct bb_record_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Keeps one document of a device: on disk when the call returns, delivered like telemetry. `kind` is "evcharger.session",
  // with the members of the interface description, or a name of the adapter's own of at most 64 letters, digits, dots and
  // hyphens. `document` is a JSON object of at most 16 KiB. [copied] [link]
  bb_status_t (*BB_NULLABLE record)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_device_id_t device, bb_str_t kind, bb_str_t document);
} bb_record_service_t;

#ifdef __cplusplus
}
#endif
#endif
