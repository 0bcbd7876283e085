// SPDX-License-Identifier: Apache-2.0
// What a plugin implements: one static descriptor, one static table per adapter, and the entry function.
#ifndef BUSBAR_ADAPTER_H
#define BUSBAR_ADAPTER_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

// Headed record.
typedef struct bb_link_config {
  uint32_t size;
  bb_link_id_t link;
  bb_str_t config; // JSON object: the link's own settings, checked against the manifest's schema, defaults filled in
} bb_link_config_t;

// Headed record.
typedef struct bb_device_config {
  uint32_t size;
  bb_device_id_t device;
  bb_str_t name;          // the host's id of the device, for messages; may be empty before first contact
  bb_str_t device_config; // JSON object: the device's settings, checked against the manifest's schema, defaults filled in
  bb_str_t template_body; // JSON object: the template's body; empty where the device has none
} bb_device_config_t;

// Table. Static. Only id, open and close must be there.
typedef struct bb_adapter {
  uint32_t size;
  uint32_t flags; // 0
  bb_str_t id;    // as in the manifest

  // Opens a link. `close` is called exactly when *state is not NULL afterwards, also after a failure. May block until
  // deadline. [link]
  bb_status_t (*BB_NULLABLE open)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call,
                                  const bb_link_config_t *BB_NONNULL config, void *BB_NULLABLE *BB_NONNULL state);

  // Closes a link; its devices have been removed. May block until deadline. [link]
  void (*BB_NULLABLE close)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state);

  // Adds a device to an open link and declares its points. It does not have to reach the device: what a device cannot
  // do is learnt in poll. `device_remove` is called exactly when *device_state is not NULL afterwards. May block until
  // deadline. [link]
  bb_status_t (*BB_NULLABLE device_add)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call,
                                        void *BB_NULLABLE state, const bb_device_config_t *BB_NONNULL config,
                                        void *BB_NULLABLE *BB_NONNULL device_state);

  // Removes a device from an open link. [link]
  void (*BB_NULLABLE device_remove)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call,
                                    void *BB_NULLABLE state, bb_device_id_t device, void *BB_NULLABLE device_state);

  // Reads the `count` points in `due` of one device and commits them. A point that cannot be read is sent as bad, not
  // left out. A failure says that the device could not be reached at all. May block until deadline. [link]
  bb_status_t (*BB_NULLABLE poll)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call,
                                  void *BB_NULLABLE state, bb_device_id_t device, void *BB_NULLABLE device_state,
                                  const bb_point_id_t *BB_NULLABLE due, uint32_t count);

  // An interface table by id ("busbar.commands/1"), NULL where the adapter does not have it. [static] [any]
  const void *BB_NULLABLE (*BB_NULLABLE get_interface)(bb_str_t id);
} bb_adapter_t;

// Headed record. Static. id and version must be those of the manifest.
typedef struct bb_plugin {
  uint32_t size;
  uint32_t abi; // BB_ABI_VERSION that the plugin was built with
  bb_str_t id;  // "org.example.line"
  bb_str_t version;
  const bb_adapter_t *BB_NULLABLE const *BB_NULLABLE adapters;
  uint32_t adapter_count;
  uint32_t reserved; // 0
} bb_plugin_t;

// The type of the one exported function, BB_ENTRY_SYMBOL. NULL = refuse. [static] [load]
typedef const bb_plugin_t *BB_NULLABLE (*bb_entry_t)(const bb_host_t *BB_NONNULL host);

#ifdef __cplusplus
}
#endif
#endif
