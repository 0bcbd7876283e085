// SPDX-License-Identifier: Apache-2.0
// busbar.stream/1 (host side): a connection or serial line, opened by the host, as a descriptor of plain bytes.
#ifndef BUSBAR_EXT_STREAM_H
#define BUSBAR_EXT_STREAM_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_STREAM "busbar.stream/1"

// What the descriptor is, as far as framing has to know.
enum {
  BB_STREAM_TCP = 1,
  BB_STREAM_SERIAL = 2
};

// When `exchange` has enough.
enum {
  BB_UNTIL_LENGTH = 1, // exactly `until` bytes, at most the capacity
  BB_UNTIL_BYTE = 2,   // up to and with the byte `until`
  BB_UNTIL_SOME = 3,   // at least one byte, then all that is there
  BB_UNTIL_QUIET = 4   // until nothing came for `until` milliseconds; may end with none
};

// Headed record. The plugin sets size to sizeof, the host fills in what fits.
typedef struct bb_stream_info {
  uint32_t size;
  int32_t fd;            // below 1024; lent until stream close or link close; never close(2) or dup it
  uint32_t kind;         // BB_STREAM_…
  uint32_t baud;         // serial: bit/s, else 0
  uint32_t bits_a_byte;  // serial: start, data, parity and stop bits of one byte, else 0
  uint32_t reserved;     // 0
} bb_stream_info_t;

// Table.
typedef struct bb_stream_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Opens the endpoint with this name of the link ("device"). A second open gives the same descriptor. [in-call]
  bb_status_t (*BB_NULLABLE open)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, bb_link_id_t link,
                                  bb_str_t endpoint, bb_stream_info_t *BB_NONNULL info);

  // Gives the descriptor back. [link]
  void (*BB_NULLABLE close)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, int32_t fd);

  // Sends `request` (may be empty) and reads into `reply` until there is enough, the deadline, or the call is cancelled.
  // `length` tells what was read, also after a failure. [in-call]
  bb_status_t (*BB_NULLABLE exchange)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, int32_t fd,
                                      bb_bytes_t request, uint32_t mode, uint32_t until, uint8_t *BB_NONNULL reply,
                                      uint32_t capacity, uint32_t *BB_NONNULL length);

  // Waits `milliseconds`, the deadline, or until the call is cancelled, whichever is first. For gaps that a device
  // needs between requests. [in-call]
  bb_status_t (*BB_NULLABLE pause)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, uint32_t milliseconds);
} bb_stream_service_t;

#ifdef __cplusplus
}
#endif
#endif
