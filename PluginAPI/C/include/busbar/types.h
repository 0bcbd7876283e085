// SPDX-License-Identifier: Apache-2.0
// The small fixed types that everything else is made of. Fixed types never change within a major version.
#ifndef BUSBAR_TYPES_H
#define BUSBAR_TYPES_H

#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

// Fixed. UTF-8 text without a terminating zero. Empty: length 0, and data may then be NULL.
typedef struct bb_str {
  const char *BB_NULLABLE data;
  uint32_t length;
  uint32_t reserved; // 0
} bb_str_t;

// Fixed. Plain bytes, lent like bb_str_t.
typedef struct bb_bytes {
  const uint8_t *BB_NULLABLE data;
  uint32_t length;
  uint32_t reserved; // 0
} bb_bytes_t;

// A bb_str_t from a string literal, usable in initialisers.
#define BB_STR(literal) { literal, (uint32_t)(sizeof(literal) - 1), 0 }

// Handles are integers. 0 is never a valid one, so that a forgotten field is noticed.
typedef uint32_t bb_link_id_t;
typedef uint32_t bb_device_id_t;
typedef uint32_t bb_point_id_t;

// 0 done, 1 pending, below 0 failed: a class that the host acts on and a reason that it only counts and shows.
typedef int32_t bb_status_t;

enum {
  BB_OK = 0,
  BB_PENDING = 1
};

// What the host does after a failure. Numbers are never reused; an unknown class counts as TRANSIENT.
enum {
  BB_CLASS_TRANSIENT = 1,   // tries again with back-off
  BB_CLASS_CONFIG = 2,      // stops and asks the person; tries again when the configuration changes
  BB_CLASS_AUTH = 3,        // stops and asks for credentials
  BB_CLASS_DEVICE = 4,      // keeps going: this value or command failed, the link is fine
  BB_CLASS_UNSUPPORTED = 5, // does not ask again
  BB_CLASS_CANCELLED = 6,   // forgets it
  BB_CLASS_BUG = 7          // counts against the plugin
};

// Reasons that the host's own services return. A plugin may use them and adds its own from BB_REASON_PLUGIN.
enum {
  BB_REASON_UNSPECIFIED = 0,
  BB_REASON_TIMEOUT = 1,   // nothing, or not enough, before the deadline
  BB_REASON_CLOSED = 2,    // the far end closed, or the descriptor is dead: the host reopens the link
  BB_REASON_REFUSED = 3,   // nobody listens there
  BB_REASON_ADDRESS = 4,   // the name or path does not exist
  BB_REASON_RANGE = 5,     // a parameter is outside of what the slot allows
  BB_REASON_NO_SPACE = 6,  // the buffer handed in is too small
  BB_REASON_GARBLED = 7,   // an answer came and is not one
  BB_REASON_WEAR = 8,      // the writes that a register in flash can bear are used up for now
  BB_REASON_PLUGIN = 1024
};

#define BB_FAIL(class_, reason_) ((bb_status_t)-(int32_t)(((uint32_t)(class_) << 16) | ((uint32_t)(reason_) & 0xFFFFu)))
#define BB_CLASS_OF(status) ((uint32_t)(-(int64_t)(status)) >> 16)
#define BB_REASON_OF(status) ((uint32_t)(-(int64_t)(status)) & 0xFFFFu)

// One call from the host into the plugin. Headed record: grows at the end.
typedef struct bb_call {
  uint32_t size;
  uint32_t flags;      // 0
  uint64_t token;      // names this call in host slots
  int64_t deadline_ns; // CLOCK_BOOTTIME; host services give up by then
} bb_call_t;

#ifdef __cplusplus
}
#endif
#endif
