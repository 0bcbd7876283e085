// SPDX-License-Identifier: Apache-2.0
// busbar.commands/1 (plugin side): writes and actions, with a key that makes them idempotent and an expiry.
#ifndef BUSBAR_EXT_COMMANDS_H
#define BUSBAR_EXT_COMMANDS_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_INTERFACE_COMMANDS "busbar.commands/1"

// Flags of a command.
enum {
  BB_COMMAND_DRY_RUN = 1, // check, do not act
  BB_COMMAND_REFRESH = 2, // a value in force is sent again, so that a watchdog in the device does not end it
  BB_COMMAND_SAFE = 4     // the safe value, after a lease ended
};

// How it ended. 0 is no outcome.
enum {
  BB_OUTCOME_DONE = 1,     // took effect, read back where the device allows it
  BB_OUTCOME_ACCEPTED = 2, // the device took it, its effect was not seen
  BB_OUTCOME_REFUSED = 3,  // the device or the adapter says no
  BB_OUTCOME_UNKNOWN = 4   // it left, and no answer came: never guess
};

// Headed record.
typedef struct bb_command {
  uint32_t size;
  uint32_t flags;         // BB_COMMAND_…
  uint8_t key[16];        // first 16 bytes of SHA-256 of the request's id: same key, same effect
  bb_device_id_t device;
  bb_point_id_t point;    // a write; 0 = an action, see name
  bb_str_t name;          // of the action
  bb_str_t arguments;     // the action's JSON object, or the text value of a write
  bb_value_t value;       // of a write, unless it is text
  uint16_t type;          // BB_TYPE_… of value
  uint16_t reserved0;     // 0
  uint32_t attempt;       // 1 on first delivery
  int64_t valid_until_ns; // CLOCK_BOOTTIME; after this, do not act
} bb_command_t;

// Headed record, lent by the host to be filled.
typedef struct bb_outcome {
  uint32_t size;
  uint32_t outcome;   // BB_OUTCOME_…
  bb_value_t value;   // what was read back
  uint16_t type;      // BB_TYPE_… of value: numbers, booleans and enums; 0 = nothing was read back
  uint16_t reserved0; // 0
  int32_t code;       // the protocol's own detail
} bb_outcome_t;

// Table.
typedef struct bb_commands_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // Carries out one command. A failed status says that the device was not reached and nothing was sent. May block until
  // deadline. [link]
  bb_status_t (*BB_NULLABLE command)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state,
                                     bb_device_id_t device, void *BB_NULLABLE device_state,
                                     const bb_command_t *BB_NONNULL command, bb_outcome_t *BB_NONNULL outcome);
} bb_commands_interface_t;

#ifdef __cplusplus
}
#endif
#endif
