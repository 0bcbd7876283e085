// SPDX-License-Identifier: Apache-2.0
// Telemetry: points are declared once, as text; samples are sent often, as 32 fixed bytes.
#ifndef BUSBAR_POINT_H
#define BUSBAR_POINT_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

// How a value is carried. A point's type never changes under its name.
enum {
  BB_TYPE_F64 = 1,
  BB_TYPE_I64 = 2,
  BB_TYPE_U64 = 3,
  BB_TYPE_BOOL = 4, // u64: 0 or 1
  BB_TYPE_ENUM = 5, // i64: index into the labels of the descriptor's detail
  BB_TYPE_TEXT = 6, // UTF-8 in the batch's arena
  BB_TYPE_BYTES = 7 // in the batch's arena
};

enum {
  BB_KIND_GAUGE = 1,   // goes up and down
  BB_KIND_COUNTER = 2, // only grows, or restarts at 0
  BB_KIND_STATE = 3,   // one of a set, or text
  BB_KIND_EVENT = 4    // happens
};

// Flags of a point.
enum {
  BB_POINT_WRITABLE = 1,   // takes bb_command_t
  BB_POINT_SETTING = 2,    // a written value lasts: no lease, no safe value
  BB_POINT_RESTARTS = 4,   // a counter that restarts at 0 (…_today, …_session)
  BB_POINT_WRITE_ONLY = 8  // the device takes it and never tells it: never due, no samples
};

// Array element: travels as pointer, count and stride.
typedef struct bb_point_desc {
  bb_str_t name;       // snake_case, from interfaces 5: "power_l1"
  bb_str_t title;      // for people; may be empty
  bb_str_t detail;     // JSON object: "labels": [...], "safe": value, "allowed": [...], "refresh_ms", "lease_ms", "watchdog_ms"
  uint16_t type;       // BB_TYPE_…
  uint16_t kind;       // BB_KIND_…
  uint16_t unit;       // BB_UNIT_…
  uint16_t quantity;   // BB_QUANTITY_…, 0 = follows from the unit
  uint32_t flags;      // BB_POINT_…
  uint32_t period_ms;  // how often reading is worthwhile; 0 = the device's default
  double minimum;      // both 0 = no limits
  double maximum;
  double resolution;   // smallest step that means something; 0 = as is
} bb_point_desc_t;

// Quality: the top two bits are the verdict, the rest the reason. An unknown reason keeps its verdict.
enum {
  BB_QUALITY_GOOD = 0x0000,
  BB_QUALITY_UNCERTAIN = 0x4000,
  BB_QUALITY_BAD = 0x8000,
  BB_QUALITY_VERDICT = 0xC000 // mask
};

enum {
  BB_QUALITY_STALE = 1,     // older than it should be
  BB_QUALITY_ESTIMATED = 2, // computed, not measured
  BB_QUALITY_LIMIT = 3,     // outside of the plausible range
  BB_QUALITY_COMM = 4,      // the device could not be reached
  BB_QUALITY_SILENT = 5,    // it did not answer in time
  BB_QUALITY_DEVICE = 6,    // the device says that it has no value, or refuses
  BB_QUALITY_DECODE = 7     // an answer came and makes no sense
};

#define BB_BAD(reason_) ((uint16_t)(BB_QUALITY_BAD | (reason_)))
#define BB_UNCERTAIN(reason_) ((uint16_t)(BB_QUALITY_UNCERTAIN | (reason_)))

// Flags of a sample.
enum {
  BB_SAMPLE_DEVICE_TIME = 1, // time_ns is the device's own clock
  BB_SAMPLE_BACKFILL = 2     // read from the device's memory, not measured now
};

// Fixed. A place in the batch's arena. Offsets, not addresses, so that a batch can be a message.
typedef struct bb_span {
  uint32_t offset;
  uint32_t length;
} bb_span_t;

// Fixed. Which member counts is told by the type beside it.
typedef union bb_value {
  double f64;
  int64_t i64;
  uint64_t u64;
  bb_span_t span;
} bb_value_t;

// Fixed: 32 bytes for ever.
typedef struct bb_sample {
  bb_point_id_t point; // as declare_points gave it; 0 is dropped and counted
  uint16_t type;       // BB_TYPE_…
  uint16_t quality;    // BB_QUALITY_… with BB_REASON_…
  int64_t time_ns;     // Unix time; 0 = the host stamps it at commit
  bb_value_t value;    // ignored where the quality is bad
  int32_t code;        // the protocol's own detail, such as a Modbus exception code; 0 = none
  uint32_t flags;      // BB_SAMPLE_…
} bb_sample_t;

// Flags of a batch.
enum {
  BB_BATCH_DURABLE = 1 // commit returns only after the values are on disk
};

// A slot lent by batch_begin until batch_commit. The plugin fills samples and arena in place and raises count and
// arena_used. Headed record.
typedef struct bb_batch {
  uint32_t size;
  uint32_t flags;
  bb_sample_t *BB_NULLABLE samples;
  uint8_t *BB_NULLABLE arena;
  uint32_t capacity;       // samples
  uint32_t count;          // samples filled in, at most capacity
  uint32_t arena_capacity; // bytes
  uint32_t arena_used;     // bytes filled in, at most arena_capacity
  uint64_t token;          // the host's
} bb_batch_t;

#ifdef __cplusplus
}
#endif
#endif
