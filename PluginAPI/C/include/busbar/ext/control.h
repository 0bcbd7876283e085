// SPDX-License-Identifier: Apache-2.0
// busbar.control/1 (host side): a request to the arbiter from below, such as the limit of an energy guard.
#ifndef BUSBAR_EXT_CONTROL_H
#define BUSBAR_EXT_CONTROL_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_CONTROL "busbar.control/1"

// Table.
typedef struct bb_control_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Asks for a value of a writable point for `valid_ns` nanoseconds, in the name of this link, with the priority that a
  // person granted it; AUTH where none did. `device` is the id of any device of the host, as in its topics. A newer request
  // for the same point takes the place of the older one. [copied] [link]
  bb_status_t (*BB_NULLABLE request)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_str_t device, bb_str_t point, double value, int64_t valid_ns);

  // Takes a request back; without one nothing happens. [copied] [link]
  bb_status_t (*BB_NULLABLE release)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, bb_str_t device, bb_str_t point);
} bb_control_service_t;

#ifdef __cplusplus
}
#endif
#endif
