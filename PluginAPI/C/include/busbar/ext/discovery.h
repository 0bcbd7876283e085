// SPDX-License-Identifier: Apache-2.0
// busbar.discovery/1: looks for devices behind a link. Only reads, and only when a person or the configuration asks.
#ifndef BUSBAR_EXT_DISCOVERY_H
#define BUSBAR_EXT_DISCOVERY_H

#include "../adapter.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BB_SERVICE_DISCOVERY "busbar.discovery/1"
#define BB_INTERFACE_DISCOVERY "busbar.discovery/1"

// Headed record. A device that was recognised.
typedef struct bb_candidate {
  uint32_t size;
  uint32_t reserved;      // 0
  bb_str_t template_name; // one of those that the search was handed; empty: something answers, and none of them knows it
  bb_str_t device_config; // JSON object: the settings that reach it, as in a device's `config`
  bb_str_t vendor;        // each empty where it is not known
  bb_str_t model;
  bb_str_t serial;
  bb_str_t firmware;
  double confidence;      // above 0 to 1
  bb_str_t others;        // JSON array: names of further templates that fit as well; may be empty
} bb_candidate_t;

enum {
  BB_SCAN_EVERYWHERE = 1, // also where such devices usually are not
};

// Headed record. One step of a search: short ones leave room for the polls of a link in service.
typedef struct bb_scan {
  uint32_t size;
  uint32_t step;  // from 0, which begins a new search. A step that was cancelled comes again
  uint32_t steps; // out: how many there are in all, as it looks now, at most 100,000; the search is over when step + 1 is that
  uint32_t flags; // BB_SCAN_…
  // JSON array of {"template": name, "kind": …, "vendor": …, "models": […], "probe": …, "body": …, "config": …}: what may be
  // recognised; `config` are the settings that such a device has by default. The same in every step of a search.
  bb_str_t documents;
} bb_scan_t;

// Table, host side.
typedef struct bb_discovery_service {
  uint32_t size;
  uint32_t reserved; // 0

  // Tells of a device that the running step found. Of the same one told twice the host keeps one. [copied] [in-call]
  bb_status_t (*BB_NULLABLE propose)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, const bb_candidate_t *BB_NONNULL candidate);
} bb_discovery_service_t;

// Table, plugin side.
typedef struct bb_discovery_interface {
  uint32_t size;
  uint32_t reserved; // 0

  // One step on an open link; a second at most is expected. Must not write to any device. Silence is no failure. May block
  // until deadline. [link]
  bb_status_t (*BB_NULLABLE scan)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call, void *BB_NULLABLE state, bb_scan_t *BB_NONNULL scan);
} bb_discovery_interface_t;

#ifdef __cplusplus
}
#endif
#endif
