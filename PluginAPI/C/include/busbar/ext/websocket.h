// SPDX-License-Identifier: Apache-2.0
// busbar.websocket/1: whole messages of a WebSocket (RFC 6455). The host accepts on a listener or dials; it does TLS, login,
// ping, limits and fragments. A link has one connection at a time: a newer one takes the place of an older one.
#ifndef BUSBAR_EXT_WEBSOCKET_H
#define BUSBAR_EXT_WEBSOCKET_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_WEBSOCKET "busbar.websocket/1"
#define BB_INTERFACE_WEBSOCKET "busbar.websocket/1"

enum {
  BB_MESSAGE_TEXT = 1, // UTF-8, checked by the host
  BB_MESSAGE_BINARY = 2
};

// How the host knows who the far end is. The higher, the surer.
enum {
  BB_TRUST_NONE = 1,        // it says so itself
  BB_TRUST_PENDING = 2,     // a certificate that nobody has approved yet
  BB_TRUST_PASSWORD = 3,    // HTTP Basic
  BB_TRUST_CERTIFICATE = 4  // a client certificate of a trusted authority, or pinned
};

// Flags of a peer.
enum {
  BB_PEER_TLS = 1
};

// Headed record. Who is at the far end, as verified.
typedef struct bb_peer {
  uint32_t size;
  uint32_t flags;       // BB_PEER_…
  uint32_t trust;       // BB_TRUST_…
  uint32_t reserved;    // 0
  bb_str_t identity;    // the last part of the path: the charge point's id
  bb_str_t subprotocol; // the chosen one: "ocpp1.6"
  bb_str_t address;     // "192.0.2.7:50123"
  bb_str_t subject;     // of the client certificate, RFC 4514; empty without one
  bb_str_t fingerprint; // SHA-256 of it, lower-case hex
  bb_str_t ski;         // its subject key identifier, lower-case hex
} bb_peer_t;

// Table, host side.
typedef struct bb_websocket_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Sends one message. Never blocks: NO_SPACE where more than 1 MiB waits for a far end that does not read, CLOSED where
  // there is no connection. At most 1 MiB. [copied] [link]
  bb_status_t (*BB_NULLABLE send)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint32_t kind, bb_bytes_t message);

  // Closes the connection with a code of RFC 6455 section 7.4 and a reason of at most 123 bytes. on_closed follows.
  // [copied] [link]
  bb_status_t (*BB_NULLABLE close)(const bb_host_t *BB_NONNULL host, bb_link_id_t link, uint32_t code, bb_str_t reason);
} bb_websocket_service_t;

// Table, plugin side. None may block.
typedef struct bb_websocket_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // A connection stands. After one that stood before, on_closed was called. [link]
  bb_status_t (*BB_NULLABLE on_open)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, const bb_peer_t *BB_NONNULL peer);

  // A whole message. [link]
  bb_status_t (*BB_NULLABLE on_message)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint32_t kind, bb_bytes_t message);

  // The connection is gone; 1006 where it ended without a closing handshake. [link]
  bb_status_t (*BB_NULLABLE on_closed)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, uint32_t code, bb_str_t reason);
} bb_websocket_interface_t;

#ifdef __cplusplus
}
#endif
#endif
