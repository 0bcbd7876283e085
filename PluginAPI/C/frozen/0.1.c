// SPDX-License-Identifier: Apache-2.0
// What plugins built with release 0.1 of the contract rely on. Printed by Tests/ABI/freeze.py at that release; never
// edited. An assertion that fails here says that an old plugin would break.

#include <busbar/busbar.h>
#include <busbar/ext/async.h>
#include <busbar/ext/authorize.h>
#include <busbar/ext/commands.h>
#include <busbar/ext/config.h>
#include <busbar/ext/control.h>
#include <busbar/ext/diagnostics.h>
#include <busbar/ext/discovery.h>
#include <busbar/ext/event.h>
#include <busbar/ext/record.h>
#include <busbar/ext/simulate.h>
#include <busbar/ext/store.h>
#include <busbar/ext/stream.h>
#include <busbar/ext/websocket.h>

#define ROW_(number, name, symbol, what) #number " " #name " " symbol "\n"

// Constants of busbar/abi.h
_Static_assert(sizeof(BB_ENTRY_SYMBOL) == sizeof("busbar_plugin_v0") && __builtin_strcmp(BB_ENTRY_SYMBOL, "busbar_plugin_v0") == 0, "BB_ENTRY_SYMBOL");
_Static_assert(sizeof(BB_MANIFEST_SECTION) == sizeof(".busbar.manifest") && __builtin_strcmp(BB_MANIFEST_SECTION, ".busbar.manifest") == 0, "BB_MANIFEST_SECTION");

// bb_link_id_t
_Static_assert(_Generic((bb_link_id_t)0, uint32_t: 1, default: 0), "bb_link_id_t");

// bb_device_id_t
_Static_assert(_Generic((bb_device_id_t)0, uint32_t: 1, default: 0), "bb_device_id_t");

// bb_point_id_t
_Static_assert(_Generic((bb_point_id_t)0, uint32_t: 1, default: 0), "bb_point_id_t");

// bb_status_t
_Static_assert(_Generic((bb_status_t)0, int32_t: 1, default: 0), "bb_status_t");

// bb_str_t
_Static_assert(offsetof(bb_str_t, data) == 0, "bb_str_t.data offset");
_Static_assert(_Generic(((bb_str_t *)0)->data, const char *: 1, default: 0), "bb_str_t.data type");
_Static_assert(sizeof(((bb_str_t *)0)->data) == 8, "bb_str_t.data size");
_Static_assert(offsetof(bb_str_t, length) == 8, "bb_str_t.length offset");
_Static_assert(_Generic(((bb_str_t *)0)->length, uint32_t: 1, default: 0), "bb_str_t.length type");
_Static_assert(sizeof(((bb_str_t *)0)->length) == 4, "bb_str_t.length size");
_Static_assert(offsetof(bb_str_t, reserved) == 12, "bb_str_t.reserved offset");
_Static_assert(_Generic(((bb_str_t *)0)->reserved, uint32_t: 1, default: 0), "bb_str_t.reserved type");
_Static_assert(sizeof(((bb_str_t *)0)->reserved) == 4, "bb_str_t.reserved size");
_Static_assert(sizeof(bb_str_t) == 16, "bb_str_t size");

// bb_bytes_t
_Static_assert(offsetof(bb_bytes_t, data) == 0, "bb_bytes_t.data offset");
_Static_assert(_Generic(((bb_bytes_t *)0)->data, const uint8_t *: 1, default: 0), "bb_bytes_t.data type");
_Static_assert(sizeof(((bb_bytes_t *)0)->data) == 8, "bb_bytes_t.data size");
_Static_assert(offsetof(bb_bytes_t, length) == 8, "bb_bytes_t.length offset");
_Static_assert(_Generic(((bb_bytes_t *)0)->length, uint32_t: 1, default: 0), "bb_bytes_t.length type");
_Static_assert(sizeof(((bb_bytes_t *)0)->length) == 4, "bb_bytes_t.length size");
_Static_assert(offsetof(bb_bytes_t, reserved) == 12, "bb_bytes_t.reserved offset");
_Static_assert(_Generic(((bb_bytes_t *)0)->reserved, uint32_t: 1, default: 0), "bb_bytes_t.reserved type");
_Static_assert(sizeof(((bb_bytes_t *)0)->reserved) == 4, "bb_bytes_t.reserved size");
_Static_assert(sizeof(bb_bytes_t) == 16, "bb_bytes_t size");

// bb_call_t
_Static_assert(offsetof(bb_call_t, size) == 0, "bb_call_t.size offset");
_Static_assert(_Generic(((bb_call_t *)0)->size, uint32_t: 1, default: 0), "bb_call_t.size type");
_Static_assert(sizeof(((bb_call_t *)0)->size) == 4, "bb_call_t.size size");
_Static_assert(offsetof(bb_call_t, flags) == 4, "bb_call_t.flags offset");
_Static_assert(_Generic(((bb_call_t *)0)->flags, uint32_t: 1, default: 0), "bb_call_t.flags type");
_Static_assert(sizeof(((bb_call_t *)0)->flags) == 4, "bb_call_t.flags size");
_Static_assert(offsetof(bb_call_t, token) == 8, "bb_call_t.token offset");
_Static_assert(_Generic(((bb_call_t *)0)->token, uint64_t: 1, default: 0), "bb_call_t.token type");
_Static_assert(sizeof(((bb_call_t *)0)->token) == 8, "bb_call_t.token size");
_Static_assert(offsetof(bb_call_t, deadline_ns) == 16, "bb_call_t.deadline_ns offset");
_Static_assert(_Generic(((bb_call_t *)0)->deadline_ns, int64_t: 1, default: 0), "bb_call_t.deadline_ns type");
_Static_assert(sizeof(((bb_call_t *)0)->deadline_ns) == 8, "bb_call_t.deadline_ns size");
_Static_assert(sizeof(bb_call_t) >= 24, "bb_call_t size");

// Constants of busbar/types.h
_Static_assert(BB_OK == 0, "BB_OK");
_Static_assert(BB_PENDING == 1, "BB_PENDING");
_Static_assert(BB_CLASS_TRANSIENT == 1, "BB_CLASS_TRANSIENT");
_Static_assert(BB_CLASS_CONFIG == 2, "BB_CLASS_CONFIG");
_Static_assert(BB_CLASS_AUTH == 3, "BB_CLASS_AUTH");
_Static_assert(BB_CLASS_DEVICE == 4, "BB_CLASS_DEVICE");
_Static_assert(BB_CLASS_UNSUPPORTED == 5, "BB_CLASS_UNSUPPORTED");
_Static_assert(BB_CLASS_CANCELLED == 6, "BB_CLASS_CANCELLED");
_Static_assert(BB_CLASS_BUG == 7, "BB_CLASS_BUG");
_Static_assert(BB_REASON_UNSPECIFIED == 0, "BB_REASON_UNSPECIFIED");
_Static_assert(BB_REASON_TIMEOUT == 1, "BB_REASON_TIMEOUT");
_Static_assert(BB_REASON_CLOSED == 2, "BB_REASON_CLOSED");
_Static_assert(BB_REASON_REFUSED == 3, "BB_REASON_REFUSED");
_Static_assert(BB_REASON_ADDRESS == 4, "BB_REASON_ADDRESS");
_Static_assert(BB_REASON_RANGE == 5, "BB_REASON_RANGE");
_Static_assert(BB_REASON_NO_SPACE == 6, "BB_REASON_NO_SPACE");
_Static_assert(BB_REASON_GARBLED == 7, "BB_REASON_GARBLED");
_Static_assert(BB_REASON_WEAR == 8, "BB_REASON_WEAR");
_Static_assert(BB_REASON_PLUGIN == 1024, "BB_REASON_PLUGIN");

// bb_point_desc_t
_Static_assert(offsetof(bb_point_desc_t, name) == 0, "bb_point_desc_t.name offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->name, bb_str_t: 1, default: 0), "bb_point_desc_t.name type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->name) == 16, "bb_point_desc_t.name size");
_Static_assert(offsetof(bb_point_desc_t, title) == 16, "bb_point_desc_t.title offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->title, bb_str_t: 1, default: 0), "bb_point_desc_t.title type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->title) == 16, "bb_point_desc_t.title size");
_Static_assert(offsetof(bb_point_desc_t, detail) == 32, "bb_point_desc_t.detail offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->detail, bb_str_t: 1, default: 0), "bb_point_desc_t.detail type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->detail) == 16, "bb_point_desc_t.detail size");
_Static_assert(offsetof(bb_point_desc_t, type) == 48, "bb_point_desc_t.type offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->type, uint16_t: 1, default: 0), "bb_point_desc_t.type type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->type) == 2, "bb_point_desc_t.type size");
_Static_assert(offsetof(bb_point_desc_t, kind) == 50, "bb_point_desc_t.kind offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->kind, uint16_t: 1, default: 0), "bb_point_desc_t.kind type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->kind) == 2, "bb_point_desc_t.kind size");
_Static_assert(offsetof(bb_point_desc_t, unit) == 52, "bb_point_desc_t.unit offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->unit, uint16_t: 1, default: 0), "bb_point_desc_t.unit type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->unit) == 2, "bb_point_desc_t.unit size");
_Static_assert(offsetof(bb_point_desc_t, quantity) == 54, "bb_point_desc_t.quantity offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->quantity, uint16_t: 1, default: 0), "bb_point_desc_t.quantity type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->quantity) == 2, "bb_point_desc_t.quantity size");
_Static_assert(offsetof(bb_point_desc_t, flags) == 56, "bb_point_desc_t.flags offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->flags, uint32_t: 1, default: 0), "bb_point_desc_t.flags type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->flags) == 4, "bb_point_desc_t.flags size");
_Static_assert(offsetof(bb_point_desc_t, period_ms) == 60, "bb_point_desc_t.period_ms offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->period_ms, uint32_t: 1, default: 0), "bb_point_desc_t.period_ms type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->period_ms) == 4, "bb_point_desc_t.period_ms size");
_Static_assert(offsetof(bb_point_desc_t, minimum) == 64, "bb_point_desc_t.minimum offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->minimum, double: 1, default: 0), "bb_point_desc_t.minimum type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->minimum) == 8, "bb_point_desc_t.minimum size");
_Static_assert(offsetof(bb_point_desc_t, maximum) == 72, "bb_point_desc_t.maximum offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->maximum, double: 1, default: 0), "bb_point_desc_t.maximum type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->maximum) == 8, "bb_point_desc_t.maximum size");
_Static_assert(offsetof(bb_point_desc_t, resolution) == 80, "bb_point_desc_t.resolution offset");
_Static_assert(_Generic(((bb_point_desc_t *)0)->resolution, double: 1, default: 0), "bb_point_desc_t.resolution type");
_Static_assert(sizeof(((bb_point_desc_t *)0)->resolution) == 8, "bb_point_desc_t.resolution size");
_Static_assert(sizeof(bb_point_desc_t) >= 88, "bb_point_desc_t size");

// bb_span_t
_Static_assert(offsetof(bb_span_t, offset) == 0, "bb_span_t.offset offset");
_Static_assert(_Generic(((bb_span_t *)0)->offset, uint32_t: 1, default: 0), "bb_span_t.offset type");
_Static_assert(sizeof(((bb_span_t *)0)->offset) == 4, "bb_span_t.offset size");
_Static_assert(offsetof(bb_span_t, length) == 4, "bb_span_t.length offset");
_Static_assert(_Generic(((bb_span_t *)0)->length, uint32_t: 1, default: 0), "bb_span_t.length type");
_Static_assert(sizeof(((bb_span_t *)0)->length) == 4, "bb_span_t.length size");
_Static_assert(sizeof(bb_span_t) == 8, "bb_span_t size");

// bb_value_t
_Static_assert(offsetof(bb_value_t, f64) == 0, "bb_value_t.f64 offset");
_Static_assert(_Generic(((bb_value_t *)0)->f64, double: 1, default: 0), "bb_value_t.f64 type");
_Static_assert(sizeof(((bb_value_t *)0)->f64) == 8, "bb_value_t.f64 size");
_Static_assert(offsetof(bb_value_t, i64) == 0, "bb_value_t.i64 offset");
_Static_assert(_Generic(((bb_value_t *)0)->i64, int64_t: 1, default: 0), "bb_value_t.i64 type");
_Static_assert(sizeof(((bb_value_t *)0)->i64) == 8, "bb_value_t.i64 size");
_Static_assert(offsetof(bb_value_t, u64) == 0, "bb_value_t.u64 offset");
_Static_assert(_Generic(((bb_value_t *)0)->u64, uint64_t: 1, default: 0), "bb_value_t.u64 type");
_Static_assert(sizeof(((bb_value_t *)0)->u64) == 8, "bb_value_t.u64 size");
_Static_assert(offsetof(bb_value_t, span) == 0, "bb_value_t.span offset");
_Static_assert(_Generic(((bb_value_t *)0)->span, bb_span_t: 1, default: 0), "bb_value_t.span type");
_Static_assert(sizeof(((bb_value_t *)0)->span) == 8, "bb_value_t.span size");
_Static_assert(sizeof(bb_value_t) == 8, "bb_value_t size");

// bb_sample_t
_Static_assert(offsetof(bb_sample_t, point) == 0, "bb_sample_t.point offset");
_Static_assert(_Generic(((bb_sample_t *)0)->point, uint32_t: 1, default: 0), "bb_sample_t.point type");
_Static_assert(sizeof(((bb_sample_t *)0)->point) == 4, "bb_sample_t.point size");
_Static_assert(offsetof(bb_sample_t, type) == 4, "bb_sample_t.type offset");
_Static_assert(_Generic(((bb_sample_t *)0)->type, uint16_t: 1, default: 0), "bb_sample_t.type type");
_Static_assert(sizeof(((bb_sample_t *)0)->type) == 2, "bb_sample_t.type size");
_Static_assert(offsetof(bb_sample_t, quality) == 6, "bb_sample_t.quality offset");
_Static_assert(_Generic(((bb_sample_t *)0)->quality, uint16_t: 1, default: 0), "bb_sample_t.quality type");
_Static_assert(sizeof(((bb_sample_t *)0)->quality) == 2, "bb_sample_t.quality size");
_Static_assert(offsetof(bb_sample_t, time_ns) == 8, "bb_sample_t.time_ns offset");
_Static_assert(_Generic(((bb_sample_t *)0)->time_ns, int64_t: 1, default: 0), "bb_sample_t.time_ns type");
_Static_assert(sizeof(((bb_sample_t *)0)->time_ns) == 8, "bb_sample_t.time_ns size");
_Static_assert(offsetof(bb_sample_t, value) == 16, "bb_sample_t.value offset");
_Static_assert(_Generic(((bb_sample_t *)0)->value, bb_value_t: 1, default: 0), "bb_sample_t.value type");
_Static_assert(sizeof(((bb_sample_t *)0)->value) == 8, "bb_sample_t.value size");
_Static_assert(offsetof(bb_sample_t, code) == 24, "bb_sample_t.code offset");
_Static_assert(_Generic(((bb_sample_t *)0)->code, int32_t: 1, default: 0), "bb_sample_t.code type");
_Static_assert(sizeof(((bb_sample_t *)0)->code) == 4, "bb_sample_t.code size");
_Static_assert(offsetof(bb_sample_t, flags) == 28, "bb_sample_t.flags offset");
_Static_assert(_Generic(((bb_sample_t *)0)->flags, uint32_t: 1, default: 0), "bb_sample_t.flags type");
_Static_assert(sizeof(((bb_sample_t *)0)->flags) == 4, "bb_sample_t.flags size");
_Static_assert(sizeof(bb_sample_t) == 32, "bb_sample_t size");

// bb_batch_t
_Static_assert(offsetof(bb_batch_t, size) == 0, "bb_batch_t.size offset");
_Static_assert(_Generic(((bb_batch_t *)0)->size, uint32_t: 1, default: 0), "bb_batch_t.size type");
_Static_assert(sizeof(((bb_batch_t *)0)->size) == 4, "bb_batch_t.size size");
_Static_assert(offsetof(bb_batch_t, flags) == 4, "bb_batch_t.flags offset");
_Static_assert(_Generic(((bb_batch_t *)0)->flags, uint32_t: 1, default: 0), "bb_batch_t.flags type");
_Static_assert(sizeof(((bb_batch_t *)0)->flags) == 4, "bb_batch_t.flags size");
_Static_assert(offsetof(bb_batch_t, samples) == 8, "bb_batch_t.samples offset");
_Static_assert(_Generic(((bb_batch_t *)0)->samples, bb_sample_t *: 1, default: 0), "bb_batch_t.samples type");
_Static_assert(sizeof(((bb_batch_t *)0)->samples) == 8, "bb_batch_t.samples size");
_Static_assert(offsetof(bb_batch_t, arena) == 16, "bb_batch_t.arena offset");
_Static_assert(_Generic(((bb_batch_t *)0)->arena, uint8_t *: 1, default: 0), "bb_batch_t.arena type");
_Static_assert(sizeof(((bb_batch_t *)0)->arena) == 8, "bb_batch_t.arena size");
_Static_assert(offsetof(bb_batch_t, capacity) == 24, "bb_batch_t.capacity offset");
_Static_assert(_Generic(((bb_batch_t *)0)->capacity, uint32_t: 1, default: 0), "bb_batch_t.capacity type");
_Static_assert(sizeof(((bb_batch_t *)0)->capacity) == 4, "bb_batch_t.capacity size");
_Static_assert(offsetof(bb_batch_t, count) == 28, "bb_batch_t.count offset");
_Static_assert(_Generic(((bb_batch_t *)0)->count, uint32_t: 1, default: 0), "bb_batch_t.count type");
_Static_assert(sizeof(((bb_batch_t *)0)->count) == 4, "bb_batch_t.count size");
_Static_assert(offsetof(bb_batch_t, arena_capacity) == 32, "bb_batch_t.arena_capacity offset");
_Static_assert(_Generic(((bb_batch_t *)0)->arena_capacity, uint32_t: 1, default: 0), "bb_batch_t.arena_capacity type");
_Static_assert(sizeof(((bb_batch_t *)0)->arena_capacity) == 4, "bb_batch_t.arena_capacity size");
_Static_assert(offsetof(bb_batch_t, arena_used) == 36, "bb_batch_t.arena_used offset");
_Static_assert(_Generic(((bb_batch_t *)0)->arena_used, uint32_t: 1, default: 0), "bb_batch_t.arena_used type");
_Static_assert(sizeof(((bb_batch_t *)0)->arena_used) == 4, "bb_batch_t.arena_used size");
_Static_assert(offsetof(bb_batch_t, token) == 40, "bb_batch_t.token offset");
_Static_assert(_Generic(((bb_batch_t *)0)->token, uint64_t: 1, default: 0), "bb_batch_t.token type");
_Static_assert(sizeof(((bb_batch_t *)0)->token) == 8, "bb_batch_t.token size");
_Static_assert(sizeof(bb_batch_t) >= 48, "bb_batch_t size");

// Constants of busbar/point.h
_Static_assert(BB_TYPE_F64 == 1, "BB_TYPE_F64");
_Static_assert(BB_TYPE_I64 == 2, "BB_TYPE_I64");
_Static_assert(BB_TYPE_U64 == 3, "BB_TYPE_U64");
_Static_assert(BB_TYPE_BOOL == 4, "BB_TYPE_BOOL");
_Static_assert(BB_TYPE_ENUM == 5, "BB_TYPE_ENUM");
_Static_assert(BB_TYPE_TEXT == 6, "BB_TYPE_TEXT");
_Static_assert(BB_TYPE_BYTES == 7, "BB_TYPE_BYTES");
_Static_assert(BB_KIND_GAUGE == 1, "BB_KIND_GAUGE");
_Static_assert(BB_KIND_COUNTER == 2, "BB_KIND_COUNTER");
_Static_assert(BB_KIND_STATE == 3, "BB_KIND_STATE");
_Static_assert(BB_KIND_EVENT == 4, "BB_KIND_EVENT");
_Static_assert(BB_POINT_WRITABLE == 1, "BB_POINT_WRITABLE");
_Static_assert(BB_POINT_SETTING == 2, "BB_POINT_SETTING");
_Static_assert(BB_POINT_RESTARTS == 4, "BB_POINT_RESTARTS");
_Static_assert(BB_POINT_WRITE_ONLY == 8, "BB_POINT_WRITE_ONLY");
_Static_assert(BB_QUALITY_GOOD == 0x0000, "BB_QUALITY_GOOD");
_Static_assert(BB_QUALITY_UNCERTAIN == 0x4000, "BB_QUALITY_UNCERTAIN");
_Static_assert(BB_QUALITY_BAD == 0x8000, "BB_QUALITY_BAD");
_Static_assert(BB_QUALITY_VERDICT == 0xC000, "BB_QUALITY_VERDICT");
_Static_assert(BB_QUALITY_STALE == 1, "BB_QUALITY_STALE");
_Static_assert(BB_QUALITY_ESTIMATED == 2, "BB_QUALITY_ESTIMATED");
_Static_assert(BB_QUALITY_LIMIT == 3, "BB_QUALITY_LIMIT");
_Static_assert(BB_QUALITY_COMM == 4, "BB_QUALITY_COMM");
_Static_assert(BB_QUALITY_SILENT == 5, "BB_QUALITY_SILENT");
_Static_assert(BB_QUALITY_DEVICE == 6, "BB_QUALITY_DEVICE");
_Static_assert(BB_QUALITY_DECODE == 7, "BB_QUALITY_DECODE");
_Static_assert(BB_SAMPLE_DEVICE_TIME == 1, "BB_SAMPLE_DEVICE_TIME");
_Static_assert(BB_SAMPLE_BACKFILL == 2, "BB_SAMPLE_BACKFILL");
_Static_assert(BB_BATCH_DURABLE == 1, "BB_BATCH_DURABLE");

// Constants of busbar/units.h
_Static_assert(BB_QUANTITY_OF_UNIT == 0, "BB_QUANTITY_OF_UNIT");
_Static_assert(BB_QUANTITY_STATE_OF_CHARGE == 1, "BB_QUANTITY_STATE_OF_CHARGE");
_Static_assert(BB_QUANTITY_STATE_OF_HEALTH == 2, "BB_QUANTITY_STATE_OF_HEALTH");
_Static_assert(BB_QUANTITY_POWER_FACTOR == 3, "BB_QUANTITY_POWER_FACTOR");
_Static_assert(BB_UNIT_NONE == 1, "BB_UNIT_NONE");
_Static_assert(BB_UNIT_W == 2, "BB_UNIT_W");
_Static_assert(BB_UNIT_WH == 3, "BB_UNIT_WH");
_Static_assert(BB_UNIT_VA == 4, "BB_UNIT_VA");
_Static_assert(BB_UNIT_VAR == 5, "BB_UNIT_VAR");
_Static_assert(BB_UNIT_VARH == 6, "BB_UNIT_VARH");
_Static_assert(BB_UNIT_V == 7, "BB_UNIT_V");
_Static_assert(BB_UNIT_A == 8, "BB_UNIT_A");
_Static_assert(BB_UNIT_HZ == 9, "BB_UNIT_HZ");
_Static_assert(BB_UNIT_CELSIUS == 10, "BB_UNIT_CELSIUS");
_Static_assert(BB_UNIT_PERCENT == 11, "BB_UNIT_PERCENT");
_Static_assert(BB_UNIT_S == 12, "BB_UNIT_S");
_Static_assert(BB_UNIT_ONE == 13, "BB_UNIT_ONE");
_Static_assert(BB_UNIT_M3 == 14, "BB_UNIT_M3");
_Static_assert(BB_UNIT_M3H == 15, "BB_UNIT_M3H");
_Static_assert(BB_UNIT_BAR == 16, "BB_UNIT_BAR");
_Static_assert(__builtin_memcmp(BB_UNITS(ROW_), "1 NONE \n2 W W\n3 WH Wh\n4 VA VA\n5 VAR var\n6 VARH varh\n7 V V\n8 A A\n9 HZ Hz\n10 CELSIUS \302\260C\n11 PERCENT %\n12 S s\n13 ONE 1\n14 M3 m\302\263\n15 M3H m\302\263/h\n16 BAR bar\n", 150) == 0, "BB_UNITS symbols");

// bb_identity_t
_Static_assert(offsetof(bb_identity_t, size) == 0, "bb_identity_t.size offset");
_Static_assert(_Generic(((bb_identity_t *)0)->size, uint32_t: 1, default: 0), "bb_identity_t.size type");
_Static_assert(sizeof(((bb_identity_t *)0)->size) == 4, "bb_identity_t.size size");
_Static_assert(offsetof(bb_identity_t, reserved) == 4, "bb_identity_t.reserved offset");
_Static_assert(_Generic(((bb_identity_t *)0)->reserved, uint32_t: 1, default: 0), "bb_identity_t.reserved type");
_Static_assert(sizeof(((bb_identity_t *)0)->reserved) == 4, "bb_identity_t.reserved size");
_Static_assert(offsetof(bb_identity_t, vendor) == 8, "bb_identity_t.vendor offset");
_Static_assert(_Generic(((bb_identity_t *)0)->vendor, bb_str_t: 1, default: 0), "bb_identity_t.vendor type");
_Static_assert(sizeof(((bb_identity_t *)0)->vendor) == 16, "bb_identity_t.vendor size");
_Static_assert(offsetof(bb_identity_t, model) == 24, "bb_identity_t.model offset");
_Static_assert(_Generic(((bb_identity_t *)0)->model, bb_str_t: 1, default: 0), "bb_identity_t.model type");
_Static_assert(sizeof(((bb_identity_t *)0)->model) == 16, "bb_identity_t.model size");
_Static_assert(offsetof(bb_identity_t, serial) == 40, "bb_identity_t.serial offset");
_Static_assert(_Generic(((bb_identity_t *)0)->serial, bb_str_t: 1, default: 0), "bb_identity_t.serial type");
_Static_assert(sizeof(((bb_identity_t *)0)->serial) == 16, "bb_identity_t.serial size");
_Static_assert(offsetof(bb_identity_t, firmware) == 56, "bb_identity_t.firmware offset");
_Static_assert(_Generic(((bb_identity_t *)0)->firmware, bb_str_t: 1, default: 0), "bb_identity_t.firmware type");
_Static_assert(sizeof(((bb_identity_t *)0)->firmware) == 16, "bb_identity_t.firmware size");
_Static_assert(offsetof(bb_identity_t, detail) == 72, "bb_identity_t.detail offset");
_Static_assert(_Generic(((bb_identity_t *)0)->detail, bb_str_t: 1, default: 0), "bb_identity_t.detail type");
_Static_assert(sizeof(((bb_identity_t *)0)->detail) == 16, "bb_identity_t.detail size");
_Static_assert(sizeof(bb_identity_t) >= 88, "bb_identity_t size");

// bb_host_t
_Static_assert(offsetof(bb_host_t, size) == 0, "bb_host_t.size offset");
_Static_assert(_Generic(((bb_host_t *)0)->size, uint32_t: 1, default: 0), "bb_host_t.size type");
_Static_assert(sizeof(((bb_host_t *)0)->size) == 4, "bb_host_t.size size");
_Static_assert(offsetof(bb_host_t, abi) == 4, "bb_host_t.abi offset");
_Static_assert(_Generic(((bb_host_t *)0)->abi, uint32_t: 1, default: 0), "bb_host_t.abi type");
_Static_assert(sizeof(((bb_host_t *)0)->abi) == 4, "bb_host_t.abi size");
_Static_assert(offsetof(bb_host_t, context) == 8, "bb_host_t.context offset");
_Static_assert(_Generic(((bb_host_t *)0)->context, void *: 1, default: 0), "bb_host_t.context type");
_Static_assert(sizeof(((bb_host_t *)0)->context) == 8, "bb_host_t.context size");
_Static_assert(offsetof(bb_host_t, get_service) == 16, "bb_host_t.get_service offset");
_Static_assert(_Generic(((bb_host_t *)0)->get_service, const void * (*)(const bb_host_t *, bb_str_t): 1, default: 0), "bb_host_t.get_service type");
_Static_assert(offsetof(bb_host_t, log) == 24, "bb_host_t.log offset");
_Static_assert(_Generic(((bb_host_t *)0)->log, void (*)(const bb_host_t *, uint32_t, int32_t, bb_str_t): 1, default: 0), "bb_host_t.log type");
_Static_assert(offsetof(bb_host_t, explain) == 32, "bb_host_t.explain offset");
_Static_assert(_Generic(((bb_host_t *)0)->explain, void (*)(const bb_host_t *, const bb_call_t *, bb_str_t): 1, default: 0), "bb_host_t.explain type");
_Static_assert(offsetof(bb_host_t, cancelled) == 40, "bb_host_t.cancelled offset");
_Static_assert(_Generic(((bb_host_t *)0)->cancelled, int32_t (*)(const bb_host_t *, const bb_call_t *): 1, default: 0), "bb_host_t.cancelled type");
_Static_assert(offsetof(bb_host_t, declare_points) == 48, "bb_host_t.declare_points offset");
_Static_assert(_Generic(((bb_host_t *)0)->declare_points, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, const bb_point_desc_t *, uint32_t, uint32_t, uint32_t *): 1, default: 0), "bb_host_t.declare_points type");
_Static_assert(offsetof(bb_host_t, identify) == 56, "bb_host_t.identify offset");
_Static_assert(_Generic(((bb_host_t *)0)->identify, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, const bb_identity_t *): 1, default: 0), "bb_host_t.identify type");
_Static_assert(offsetof(bb_host_t, batch_begin) == 64, "bb_host_t.batch_begin offset");
_Static_assert(_Generic(((bb_host_t *)0)->batch_begin, bb_batch_t * (*)(const bb_host_t *, uint32_t, uint32_t, uint32_t, uint32_t): 1, default: 0), "bb_host_t.batch_begin type");
_Static_assert(offsetof(bb_host_t, batch_commit) == 72, "bb_host_t.batch_commit offset");
_Static_assert(_Generic(((bb_host_t *)0)->batch_commit, int32_t (*)(const bb_host_t *, uint32_t, bb_batch_t *): 1, default: 0), "bb_host_t.batch_commit type");
_Static_assert(sizeof(bb_host_t) >= 80, "bb_host_t size");

// Constants of busbar/host.h
_Static_assert(BB_LOG_ERROR == 3, "BB_LOG_ERROR");
_Static_assert(BB_LOG_WARNING == 4, "BB_LOG_WARNING");
_Static_assert(BB_LOG_NOTICE == 5, "BB_LOG_NOTICE");
_Static_assert(BB_LOG_INFO == 6, "BB_LOG_INFO");
_Static_assert(BB_LOG_DEBUG == 7, "BB_LOG_DEBUG");

// bb_link_config_t
_Static_assert(offsetof(bb_link_config_t, size) == 0, "bb_link_config_t.size offset");
_Static_assert(_Generic(((bb_link_config_t *)0)->size, uint32_t: 1, default: 0), "bb_link_config_t.size type");
_Static_assert(sizeof(((bb_link_config_t *)0)->size) == 4, "bb_link_config_t.size size");
_Static_assert(offsetof(bb_link_config_t, link) == 4, "bb_link_config_t.link offset");
_Static_assert(_Generic(((bb_link_config_t *)0)->link, uint32_t: 1, default: 0), "bb_link_config_t.link type");
_Static_assert(sizeof(((bb_link_config_t *)0)->link) == 4, "bb_link_config_t.link size");
_Static_assert(offsetof(bb_link_config_t, config) == 8, "bb_link_config_t.config offset");
_Static_assert(_Generic(((bb_link_config_t *)0)->config, bb_str_t: 1, default: 0), "bb_link_config_t.config type");
_Static_assert(sizeof(((bb_link_config_t *)0)->config) == 16, "bb_link_config_t.config size");
_Static_assert(sizeof(bb_link_config_t) >= 24, "bb_link_config_t size");

// bb_device_config_t
_Static_assert(offsetof(bb_device_config_t, size) == 0, "bb_device_config_t.size offset");
_Static_assert(_Generic(((bb_device_config_t *)0)->size, uint32_t: 1, default: 0), "bb_device_config_t.size type");
_Static_assert(sizeof(((bb_device_config_t *)0)->size) == 4, "bb_device_config_t.size size");
_Static_assert(offsetof(bb_device_config_t, device) == 4, "bb_device_config_t.device offset");
_Static_assert(_Generic(((bb_device_config_t *)0)->device, uint32_t: 1, default: 0), "bb_device_config_t.device type");
_Static_assert(sizeof(((bb_device_config_t *)0)->device) == 4, "bb_device_config_t.device size");
_Static_assert(offsetof(bb_device_config_t, name) == 8, "bb_device_config_t.name offset");
_Static_assert(_Generic(((bb_device_config_t *)0)->name, bb_str_t: 1, default: 0), "bb_device_config_t.name type");
_Static_assert(sizeof(((bb_device_config_t *)0)->name) == 16, "bb_device_config_t.name size");
_Static_assert(offsetof(bb_device_config_t, device_config) == 24, "bb_device_config_t.device_config offset");
_Static_assert(_Generic(((bb_device_config_t *)0)->device_config, bb_str_t: 1, default: 0), "bb_device_config_t.device_config type");
_Static_assert(sizeof(((bb_device_config_t *)0)->device_config) == 16, "bb_device_config_t.device_config size");
_Static_assert(offsetof(bb_device_config_t, template_body) == 40, "bb_device_config_t.template_body offset");
_Static_assert(_Generic(((bb_device_config_t *)0)->template_body, bb_str_t: 1, default: 0), "bb_device_config_t.template_body type");
_Static_assert(sizeof(((bb_device_config_t *)0)->template_body) == 16, "bb_device_config_t.template_body size");
_Static_assert(sizeof(bb_device_config_t) >= 56, "bb_device_config_t size");

// bb_adapter_t
_Static_assert(offsetof(bb_adapter_t, size) == 0, "bb_adapter_t.size offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->size, uint32_t: 1, default: 0), "bb_adapter_t.size type");
_Static_assert(sizeof(((bb_adapter_t *)0)->size) == 4, "bb_adapter_t.size size");
_Static_assert(offsetof(bb_adapter_t, flags) == 4, "bb_adapter_t.flags offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->flags, uint32_t: 1, default: 0), "bb_adapter_t.flags type");
_Static_assert(sizeof(((bb_adapter_t *)0)->flags) == 4, "bb_adapter_t.flags size");
_Static_assert(offsetof(bb_adapter_t, id) == 8, "bb_adapter_t.id offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->id, bb_str_t: 1, default: 0), "bb_adapter_t.id type");
_Static_assert(sizeof(((bb_adapter_t *)0)->id) == 16, "bb_adapter_t.id size");
_Static_assert(offsetof(bb_adapter_t, open) == 24, "bb_adapter_t.open offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->open, int32_t (*)(const bb_host_t *, const bb_call_t *, const bb_link_config_t *, void **): 1, default: 0), "bb_adapter_t.open type");
_Static_assert(offsetof(bb_adapter_t, close) == 32, "bb_adapter_t.close offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->close, void (*)(const bb_host_t *, const bb_call_t *, void *): 1, default: 0), "bb_adapter_t.close type");
_Static_assert(offsetof(bb_adapter_t, device_add) == 40, "bb_adapter_t.device_add offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->device_add, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, const bb_device_config_t *, void **): 1, default: 0), "bb_adapter_t.device_add type");
_Static_assert(offsetof(bb_adapter_t, device_remove) == 48, "bb_adapter_t.device_remove offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->device_remove, void (*)(const bb_host_t *, const bb_call_t *, void *, uint32_t, void *): 1, default: 0), "bb_adapter_t.device_remove type");
_Static_assert(offsetof(bb_adapter_t, poll) == 56, "bb_adapter_t.poll offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->poll, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint32_t, void *, const uint32_t *, uint32_t): 1, default: 0), "bb_adapter_t.poll type");
_Static_assert(offsetof(bb_adapter_t, get_interface) == 64, "bb_adapter_t.get_interface offset");
_Static_assert(_Generic(((bb_adapter_t *)0)->get_interface, const void * (*)(bb_str_t): 1, default: 0), "bb_adapter_t.get_interface type");
_Static_assert(sizeof(bb_adapter_t) >= 72, "bb_adapter_t size");

// bb_plugin_t
_Static_assert(offsetof(bb_plugin_t, size) == 0, "bb_plugin_t.size offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->size, uint32_t: 1, default: 0), "bb_plugin_t.size type");
_Static_assert(sizeof(((bb_plugin_t *)0)->size) == 4, "bb_plugin_t.size size");
_Static_assert(offsetof(bb_plugin_t, abi) == 4, "bb_plugin_t.abi offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->abi, uint32_t: 1, default: 0), "bb_plugin_t.abi type");
_Static_assert(sizeof(((bb_plugin_t *)0)->abi) == 4, "bb_plugin_t.abi size");
_Static_assert(offsetof(bb_plugin_t, id) == 8, "bb_plugin_t.id offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->id, bb_str_t: 1, default: 0), "bb_plugin_t.id type");
_Static_assert(sizeof(((bb_plugin_t *)0)->id) == 16, "bb_plugin_t.id size");
_Static_assert(offsetof(bb_plugin_t, version) == 24, "bb_plugin_t.version offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->version, bb_str_t: 1, default: 0), "bb_plugin_t.version type");
_Static_assert(sizeof(((bb_plugin_t *)0)->version) == 16, "bb_plugin_t.version size");
_Static_assert(offsetof(bb_plugin_t, adapters) == 40, "bb_plugin_t.adapters offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->adapters, const bb_adapter_t *const *: 1, default: 0), "bb_plugin_t.adapters type");
_Static_assert(sizeof(((bb_plugin_t *)0)->adapters) == 8, "bb_plugin_t.adapters size");
_Static_assert(offsetof(bb_plugin_t, adapter_count) == 48, "bb_plugin_t.adapter_count offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->adapter_count, uint32_t: 1, default: 0), "bb_plugin_t.adapter_count type");
_Static_assert(sizeof(((bb_plugin_t *)0)->adapter_count) == 4, "bb_plugin_t.adapter_count size");
_Static_assert(offsetof(bb_plugin_t, reserved) == 52, "bb_plugin_t.reserved offset");
_Static_assert(_Generic(((bb_plugin_t *)0)->reserved, uint32_t: 1, default: 0), "bb_plugin_t.reserved type");
_Static_assert(sizeof(((bb_plugin_t *)0)->reserved) == 4, "bb_plugin_t.reserved size");
_Static_assert(sizeof(bb_plugin_t) >= 56, "bb_plugin_t size");

// bb_entry_t
_Static_assert(_Generic((bb_entry_t)0, const bb_plugin_t * (*)(const bb_host_t *): 1, default: 0), "bb_entry_t type");

// bb_async_service_t
_Static_assert(offsetof(bb_async_service_t, size) == 0, "bb_async_service_t.size offset");
_Static_assert(_Generic(((bb_async_service_t *)0)->size, uint32_t: 1, default: 0), "bb_async_service_t.size type");
_Static_assert(sizeof(((bb_async_service_t *)0)->size) == 4, "bb_async_service_t.size size");
_Static_assert(offsetof(bb_async_service_t, reserved) == 4, "bb_async_service_t.reserved offset");
_Static_assert(_Generic(((bb_async_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_async_service_t.reserved type");
_Static_assert(sizeof(((bb_async_service_t *)0)->reserved) == 4, "bb_async_service_t.reserved size");
_Static_assert(offsetof(bb_async_service_t, complete) == 8, "bb_async_service_t.complete offset");
_Static_assert(_Generic(((bb_async_service_t *)0)->complete, int32_t (*)(const bb_host_t *, uint32_t, uint64_t, int32_t, const bb_outcome_t *, bb_str_t): 1, default: 0), "bb_async_service_t.complete type");
_Static_assert(sizeof(bb_async_service_t) >= 16, "bb_async_service_t size");

// bb_async_interface_t
_Static_assert(offsetof(bb_async_interface_t, size) == 0, "bb_async_interface_t.size offset");
_Static_assert(_Generic(((bb_async_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_async_interface_t.size type");
_Static_assert(sizeof(((bb_async_interface_t *)0)->size) == 4, "bb_async_interface_t.size size");
_Static_assert(offsetof(bb_async_interface_t, max_pending) == 4, "bb_async_interface_t.max_pending offset");
_Static_assert(_Generic(((bb_async_interface_t *)0)->max_pending, uint32_t: 1, default: 0), "bb_async_interface_t.max_pending type");
_Static_assert(sizeof(((bb_async_interface_t *)0)->max_pending) == 4, "bb_async_interface_t.max_pending size");
_Static_assert(offsetof(bb_async_interface_t, abandon) == 8, "bb_async_interface_t.abandon offset");
_Static_assert(_Generic(((bb_async_interface_t *)0)->abandon, void (*)(const bb_host_t *, const bb_call_t *, void *, uint64_t): 1, default: 0), "bb_async_interface_t.abandon type");
_Static_assert(sizeof(bb_async_interface_t) >= 16, "bb_async_interface_t size");

// Constants of busbar/ext/async.h
_Static_assert(sizeof(BB_SERVICE_ASYNC) == sizeof("busbar.async/1") && __builtin_strcmp(BB_SERVICE_ASYNC, "busbar.async/1") == 0, "BB_SERVICE_ASYNC");
_Static_assert(sizeof(BB_INTERFACE_ASYNC) == sizeof("busbar.async/1") && __builtin_strcmp(BB_INTERFACE_ASYNC, "busbar.async/1") == 0, "BB_INTERFACE_ASYNC");

// bb_tag_verdict_t
_Static_assert(offsetof(bb_tag_verdict_t, size) == 0, "bb_tag_verdict_t.size offset");
_Static_assert(_Generic(((bb_tag_verdict_t *)0)->size, uint32_t: 1, default: 0), "bb_tag_verdict_t.size type");
_Static_assert(sizeof(((bb_tag_verdict_t *)0)->size) == 4, "bb_tag_verdict_t.size size");
_Static_assert(offsetof(bb_tag_verdict_t, verdict) == 4, "bb_tag_verdict_t.verdict offset");
_Static_assert(_Generic(((bb_tag_verdict_t *)0)->verdict, uint32_t: 1, default: 0), "bb_tag_verdict_t.verdict type");
_Static_assert(sizeof(((bb_tag_verdict_t *)0)->verdict) == 4, "bb_tag_verdict_t.verdict size");
_Static_assert(offsetof(bb_tag_verdict_t, group) == 8, "bb_tag_verdict_t.group offset");
_Static_assert(_Generic(((bb_tag_verdict_t *)0)->group, bb_str_t: 1, default: 0), "bb_tag_verdict_t.group type");
_Static_assert(sizeof(((bb_tag_verdict_t *)0)->group) == 16, "bb_tag_verdict_t.group size");
_Static_assert(offsetof(bb_tag_verdict_t, expires_ms) == 24, "bb_tag_verdict_t.expires_ms offset");
_Static_assert(_Generic(((bb_tag_verdict_t *)0)->expires_ms, int64_t: 1, default: 0), "bb_tag_verdict_t.expires_ms type");
_Static_assert(sizeof(((bb_tag_verdict_t *)0)->expires_ms) == 8, "bb_tag_verdict_t.expires_ms size");
_Static_assert(sizeof(bb_tag_verdict_t) >= 32, "bb_tag_verdict_t size");

// bb_authorize_service_t
_Static_assert(offsetof(bb_authorize_service_t, size) == 0, "bb_authorize_service_t.size offset");
_Static_assert(_Generic(((bb_authorize_service_t *)0)->size, uint32_t: 1, default: 0), "bb_authorize_service_t.size type");
_Static_assert(sizeof(((bb_authorize_service_t *)0)->size) == 4, "bb_authorize_service_t.size size");
_Static_assert(offsetof(bb_authorize_service_t, reserved) == 4, "bb_authorize_service_t.reserved offset");
_Static_assert(_Generic(((bb_authorize_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_authorize_service_t.reserved type");
_Static_assert(sizeof(((bb_authorize_service_t *)0)->reserved) == 4, "bb_authorize_service_t.reserved size");
_Static_assert(offsetof(bb_authorize_service_t, ask) == 8, "bb_authorize_service_t.ask offset");
_Static_assert(_Generic(((bb_authorize_service_t *)0)->ask, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, uint64_t, bb_str_t, bb_str_t): 1, default: 0), "bb_authorize_service_t.ask type");
_Static_assert(offsetof(bb_authorize_service_t, list) == 16, "bb_authorize_service_t.list offset");
_Static_assert(_Generic(((bb_authorize_service_t *)0)->list, int32_t (*)(const bb_host_t *, uint32_t, uint8_t *, uint32_t, uint32_t *): 1, default: 0), "bb_authorize_service_t.list type");
_Static_assert(sizeof(bb_authorize_service_t) >= 24, "bb_authorize_service_t size");

// bb_authorize_interface_t
_Static_assert(offsetof(bb_authorize_interface_t, size) == 0, "bb_authorize_interface_t.size offset");
_Static_assert(_Generic(((bb_authorize_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_authorize_interface_t.size type");
_Static_assert(sizeof(((bb_authorize_interface_t *)0)->size) == 4, "bb_authorize_interface_t.size size");
_Static_assert(offsetof(bb_authorize_interface_t, reserved) == 4, "bb_authorize_interface_t.reserved offset");
_Static_assert(_Generic(((bb_authorize_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_authorize_interface_t.reserved type");
_Static_assert(sizeof(((bb_authorize_interface_t *)0)->reserved) == 4, "bb_authorize_interface_t.reserved size");
_Static_assert(offsetof(bb_authorize_interface_t, on_verdict) == 8, "bb_authorize_interface_t.on_verdict offset");
_Static_assert(_Generic(((bb_authorize_interface_t *)0)->on_verdict, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint64_t, const bb_tag_verdict_t *): 1, default: 0), "bb_authorize_interface_t.on_verdict type");
_Static_assert(offsetof(bb_authorize_interface_t, on_list) == 16, "bb_authorize_interface_t.on_list offset");
_Static_assert(_Generic(((bb_authorize_interface_t *)0)->on_list, int32_t (*)(const bb_host_t *, const bb_call_t *, void *): 1, default: 0), "bb_authorize_interface_t.on_list type");
_Static_assert(sizeof(bb_authorize_interface_t) >= 24, "bb_authorize_interface_t size");

// Constants of busbar/ext/authorize.h
_Static_assert(BB_TAG_ACCEPTED == 1, "BB_TAG_ACCEPTED");
_Static_assert(BB_TAG_BLOCKED == 2, "BB_TAG_BLOCKED");
_Static_assert(BB_TAG_EXPIRED == 3, "BB_TAG_EXPIRED");
_Static_assert(BB_TAG_UNKNOWN == 4, "BB_TAG_UNKNOWN");
_Static_assert(BB_TAG_UNDECIDED == 5, "BB_TAG_UNDECIDED");
_Static_assert(sizeof(BB_SERVICE_AUTHORIZE) == sizeof("busbar.authorize/1") && __builtin_strcmp(BB_SERVICE_AUTHORIZE, "busbar.authorize/1") == 0, "BB_SERVICE_AUTHORIZE");
_Static_assert(sizeof(BB_INTERFACE_AUTHORIZE) == sizeof("busbar.authorize/1") && __builtin_strcmp(BB_INTERFACE_AUTHORIZE, "busbar.authorize/1") == 0, "BB_INTERFACE_AUTHORIZE");

// bb_command_t
_Static_assert(offsetof(bb_command_t, size) == 0, "bb_command_t.size offset");
_Static_assert(_Generic(((bb_command_t *)0)->size, uint32_t: 1, default: 0), "bb_command_t.size type");
_Static_assert(sizeof(((bb_command_t *)0)->size) == 4, "bb_command_t.size size");
_Static_assert(offsetof(bb_command_t, flags) == 4, "bb_command_t.flags offset");
_Static_assert(_Generic(((bb_command_t *)0)->flags, uint32_t: 1, default: 0), "bb_command_t.flags type");
_Static_assert(sizeof(((bb_command_t *)0)->flags) == 4, "bb_command_t.flags size");
_Static_assert(offsetof(bb_command_t, key) == 8, "bb_command_t.key offset");
_Static_assert(sizeof(((bb_command_t *)0)->key) / sizeof(((bb_command_t *)0)->key[0]) == 16, "bb_command_t.key length");
_Static_assert(_Generic(((bb_command_t *)0)->key[0], uint8_t: 1, default: 0), "bb_command_t.key type");
_Static_assert(sizeof(((bb_command_t *)0)->key[0]) == 1, "bb_command_t.key size");
_Static_assert(offsetof(bb_command_t, device) == 24, "bb_command_t.device offset");
_Static_assert(_Generic(((bb_command_t *)0)->device, uint32_t: 1, default: 0), "bb_command_t.device type");
_Static_assert(sizeof(((bb_command_t *)0)->device) == 4, "bb_command_t.device size");
_Static_assert(offsetof(bb_command_t, point) == 28, "bb_command_t.point offset");
_Static_assert(_Generic(((bb_command_t *)0)->point, uint32_t: 1, default: 0), "bb_command_t.point type");
_Static_assert(sizeof(((bb_command_t *)0)->point) == 4, "bb_command_t.point size");
_Static_assert(offsetof(bb_command_t, name) == 32, "bb_command_t.name offset");
_Static_assert(_Generic(((bb_command_t *)0)->name, bb_str_t: 1, default: 0), "bb_command_t.name type");
_Static_assert(sizeof(((bb_command_t *)0)->name) == 16, "bb_command_t.name size");
_Static_assert(offsetof(bb_command_t, arguments) == 48, "bb_command_t.arguments offset");
_Static_assert(_Generic(((bb_command_t *)0)->arguments, bb_str_t: 1, default: 0), "bb_command_t.arguments type");
_Static_assert(sizeof(((bb_command_t *)0)->arguments) == 16, "bb_command_t.arguments size");
_Static_assert(offsetof(bb_command_t, value) == 64, "bb_command_t.value offset");
_Static_assert(_Generic(((bb_command_t *)0)->value, bb_value_t: 1, default: 0), "bb_command_t.value type");
_Static_assert(sizeof(((bb_command_t *)0)->value) == 8, "bb_command_t.value size");
_Static_assert(offsetof(bb_command_t, type) == 72, "bb_command_t.type offset");
_Static_assert(_Generic(((bb_command_t *)0)->type, uint16_t: 1, default: 0), "bb_command_t.type type");
_Static_assert(sizeof(((bb_command_t *)0)->type) == 2, "bb_command_t.type size");
_Static_assert(offsetof(bb_command_t, reserved0) == 74, "bb_command_t.reserved0 offset");
_Static_assert(_Generic(((bb_command_t *)0)->reserved0, uint16_t: 1, default: 0), "bb_command_t.reserved0 type");
_Static_assert(sizeof(((bb_command_t *)0)->reserved0) == 2, "bb_command_t.reserved0 size");
_Static_assert(offsetof(bb_command_t, attempt) == 76, "bb_command_t.attempt offset");
_Static_assert(_Generic(((bb_command_t *)0)->attempt, uint32_t: 1, default: 0), "bb_command_t.attempt type");
_Static_assert(sizeof(((bb_command_t *)0)->attempt) == 4, "bb_command_t.attempt size");
_Static_assert(offsetof(bb_command_t, valid_until_ns) == 80, "bb_command_t.valid_until_ns offset");
_Static_assert(_Generic(((bb_command_t *)0)->valid_until_ns, int64_t: 1, default: 0), "bb_command_t.valid_until_ns type");
_Static_assert(sizeof(((bb_command_t *)0)->valid_until_ns) == 8, "bb_command_t.valid_until_ns size");
_Static_assert(sizeof(bb_command_t) >= 88, "bb_command_t size");

// bb_outcome_t
_Static_assert(offsetof(bb_outcome_t, size) == 0, "bb_outcome_t.size offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->size, uint32_t: 1, default: 0), "bb_outcome_t.size type");
_Static_assert(sizeof(((bb_outcome_t *)0)->size) == 4, "bb_outcome_t.size size");
_Static_assert(offsetof(bb_outcome_t, outcome) == 4, "bb_outcome_t.outcome offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->outcome, uint32_t: 1, default: 0), "bb_outcome_t.outcome type");
_Static_assert(sizeof(((bb_outcome_t *)0)->outcome) == 4, "bb_outcome_t.outcome size");
_Static_assert(offsetof(bb_outcome_t, value) == 8, "bb_outcome_t.value offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->value, bb_value_t: 1, default: 0), "bb_outcome_t.value type");
_Static_assert(sizeof(((bb_outcome_t *)0)->value) == 8, "bb_outcome_t.value size");
_Static_assert(offsetof(bb_outcome_t, type) == 16, "bb_outcome_t.type offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->type, uint16_t: 1, default: 0), "bb_outcome_t.type type");
_Static_assert(sizeof(((bb_outcome_t *)0)->type) == 2, "bb_outcome_t.type size");
_Static_assert(offsetof(bb_outcome_t, reserved0) == 18, "bb_outcome_t.reserved0 offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->reserved0, uint16_t: 1, default: 0), "bb_outcome_t.reserved0 type");
_Static_assert(sizeof(((bb_outcome_t *)0)->reserved0) == 2, "bb_outcome_t.reserved0 size");
_Static_assert(offsetof(bb_outcome_t, code) == 20, "bb_outcome_t.code offset");
_Static_assert(_Generic(((bb_outcome_t *)0)->code, int32_t: 1, default: 0), "bb_outcome_t.code type");
_Static_assert(sizeof(((bb_outcome_t *)0)->code) == 4, "bb_outcome_t.code size");
_Static_assert(sizeof(bb_outcome_t) >= 24, "bb_outcome_t size");

// bb_commands_interface_t
_Static_assert(offsetof(bb_commands_interface_t, size) == 0, "bb_commands_interface_t.size offset");
_Static_assert(_Generic(((bb_commands_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_commands_interface_t.size type");
_Static_assert(sizeof(((bb_commands_interface_t *)0)->size) == 4, "bb_commands_interface_t.size size");
_Static_assert(offsetof(bb_commands_interface_t, reserved) == 4, "bb_commands_interface_t.reserved offset");
_Static_assert(_Generic(((bb_commands_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_commands_interface_t.reserved type");
_Static_assert(sizeof(((bb_commands_interface_t *)0)->reserved) == 4, "bb_commands_interface_t.reserved size");
_Static_assert(offsetof(bb_commands_interface_t, command) == 8, "bb_commands_interface_t.command offset");
_Static_assert(_Generic(((bb_commands_interface_t *)0)->command, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint32_t, void *, const bb_command_t *, bb_outcome_t *): 1, default: 0), "bb_commands_interface_t.command type");
_Static_assert(sizeof(bb_commands_interface_t) >= 16, "bb_commands_interface_t size");

// Constants of busbar/ext/commands.h
_Static_assert(BB_COMMAND_DRY_RUN == 1, "BB_COMMAND_DRY_RUN");
_Static_assert(BB_COMMAND_REFRESH == 2, "BB_COMMAND_REFRESH");
_Static_assert(BB_COMMAND_SAFE == 4, "BB_COMMAND_SAFE");
_Static_assert(BB_OUTCOME_DONE == 1, "BB_OUTCOME_DONE");
_Static_assert(BB_OUTCOME_ACCEPTED == 2, "BB_OUTCOME_ACCEPTED");
_Static_assert(BB_OUTCOME_REFUSED == 3, "BB_OUTCOME_REFUSED");
_Static_assert(BB_OUTCOME_UNKNOWN == 4, "BB_OUTCOME_UNKNOWN");
_Static_assert(sizeof(BB_INTERFACE_COMMANDS) == sizeof("busbar.commands/1") && __builtin_strcmp(BB_INTERFACE_COMMANDS, "busbar.commands/1") == 0, "BB_INTERFACE_COMMANDS");

// bb_config_service_t
_Static_assert(offsetof(bb_config_service_t, size) == 0, "bb_config_service_t.size offset");
_Static_assert(_Generic(((bb_config_service_t *)0)->size, uint32_t: 1, default: 0), "bb_config_service_t.size type");
_Static_assert(sizeof(((bb_config_service_t *)0)->size) == 4, "bb_config_service_t.size size");
_Static_assert(offsetof(bb_config_service_t, reserved) == 4, "bb_config_service_t.reserved offset");
_Static_assert(_Generic(((bb_config_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_config_service_t.reserved type");
_Static_assert(sizeof(((bb_config_service_t *)0)->reserved) == 4, "bb_config_service_t.reserved size");
_Static_assert(offsetof(bb_config_service_t, get_number) == 8, "bb_config_service_t.get_number offset");
_Static_assert(_Generic(((bb_config_service_t *)0)->get_number, int32_t (*)(const bb_host_t *, bb_str_t, bb_str_t, double *): 1, default: 0), "bb_config_service_t.get_number type");
_Static_assert(offsetof(bb_config_service_t, get_text) == 16, "bb_config_service_t.get_text offset");
_Static_assert(_Generic(((bb_config_service_t *)0)->get_text, int32_t (*)(const bb_host_t *, bb_str_t, bb_str_t, uint8_t *, uint32_t, uint32_t *): 1, default: 0), "bb_config_service_t.get_text type");
_Static_assert(sizeof(bb_config_service_t) >= 24, "bb_config_service_t size");

// Constants of busbar/ext/config.h
_Static_assert(sizeof(BB_SERVICE_CONFIG) == sizeof("busbar.config/1") && __builtin_strcmp(BB_SERVICE_CONFIG, "busbar.config/1") == 0, "BB_SERVICE_CONFIG");

// bb_control_service_t
_Static_assert(offsetof(bb_control_service_t, size) == 0, "bb_control_service_t.size offset");
_Static_assert(_Generic(((bb_control_service_t *)0)->size, uint32_t: 1, default: 0), "bb_control_service_t.size type");
_Static_assert(sizeof(((bb_control_service_t *)0)->size) == 4, "bb_control_service_t.size size");
_Static_assert(offsetof(bb_control_service_t, reserved) == 4, "bb_control_service_t.reserved offset");
_Static_assert(_Generic(((bb_control_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_control_service_t.reserved type");
_Static_assert(sizeof(((bb_control_service_t *)0)->reserved) == 4, "bb_control_service_t.reserved size");
_Static_assert(offsetof(bb_control_service_t, request) == 8, "bb_control_service_t.request offset");
_Static_assert(_Generic(((bb_control_service_t *)0)->request, int32_t (*)(const bb_host_t *, uint32_t, bb_str_t, bb_str_t, double, int64_t): 1, default: 0), "bb_control_service_t.request type");
_Static_assert(offsetof(bb_control_service_t, release) == 16, "bb_control_service_t.release offset");
_Static_assert(_Generic(((bb_control_service_t *)0)->release, int32_t (*)(const bb_host_t *, uint32_t, bb_str_t, bb_str_t): 1, default: 0), "bb_control_service_t.release type");
_Static_assert(sizeof(bb_control_service_t) >= 24, "bb_control_service_t size");

// Constants of busbar/ext/control.h
_Static_assert(sizeof(BB_SERVICE_CONTROL) == sizeof("busbar.control/1") && __builtin_strcmp(BB_SERVICE_CONTROL, "busbar.control/1") == 0, "BB_SERVICE_CONTROL");

// bb_diagnostics_service_t
_Static_assert(offsetof(bb_diagnostics_service_t, size) == 0, "bb_diagnostics_service_t.size offset");
_Static_assert(_Generic(((bb_diagnostics_service_t *)0)->size, uint32_t: 1, default: 0), "bb_diagnostics_service_t.size type");
_Static_assert(sizeof(((bb_diagnostics_service_t *)0)->size) == 4, "bb_diagnostics_service_t.size size");
_Static_assert(offsetof(bb_diagnostics_service_t, reserved) == 4, "bb_diagnostics_service_t.reserved offset");
_Static_assert(_Generic(((bb_diagnostics_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_diagnostics_service_t.reserved type");
_Static_assert(sizeof(((bb_diagnostics_service_t *)0)->reserved) == 4, "bb_diagnostics_service_t.reserved size");
_Static_assert(offsetof(bb_diagnostics_service_t, tracing) == 8, "bb_diagnostics_service_t.tracing offset");
_Static_assert(_Generic(((bb_diagnostics_service_t *)0)->tracing, int32_t (*)(const bb_host_t *, uint32_t): 1, default: 0), "bb_diagnostics_service_t.tracing type");
_Static_assert(offsetof(bb_diagnostics_service_t, trace) == 16, "bb_diagnostics_service_t.trace offset");
_Static_assert(_Generic(((bb_diagnostics_service_t *)0)->trace, void (*)(const bb_host_t *, uint32_t, uint32_t, bb_bytes_t): 1, default: 0), "bb_diagnostics_service_t.trace type");
_Static_assert(offsetof(bb_diagnostics_service_t, problem) == 24, "bb_diagnostics_service_t.problem offset");
_Static_assert(_Generic(((bb_diagnostics_service_t *)0)->problem, void (*)(const bb_host_t *, uint32_t, uint32_t, bb_str_t, int32_t, bb_str_t): 1, default: 0), "bb_diagnostics_service_t.problem type");
_Static_assert(sizeof(bb_diagnostics_service_t) >= 32, "bb_diagnostics_service_t size");

// bb_diagnostics_interface_t
_Static_assert(offsetof(bb_diagnostics_interface_t, size) == 0, "bb_diagnostics_interface_t.size offset");
_Static_assert(_Generic(((bb_diagnostics_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_diagnostics_interface_t.size type");
_Static_assert(sizeof(((bb_diagnostics_interface_t *)0)->size) == 4, "bb_diagnostics_interface_t.size size");
_Static_assert(offsetof(bb_diagnostics_interface_t, reserved) == 4, "bb_diagnostics_interface_t.reserved offset");
_Static_assert(_Generic(((bb_diagnostics_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_diagnostics_interface_t.reserved type");
_Static_assert(sizeof(((bb_diagnostics_interface_t *)0)->reserved) == 4, "bb_diagnostics_interface_t.reserved size");
_Static_assert(offsetof(bb_diagnostics_interface_t, snapshot) == 8, "bb_diagnostics_interface_t.snapshot offset");
_Static_assert(_Generic(((bb_diagnostics_interface_t *)0)->snapshot, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint8_t *, uint32_t, uint32_t *): 1, default: 0), "bb_diagnostics_interface_t.snapshot type");
_Static_assert(sizeof(bb_diagnostics_interface_t) >= 16, "bb_diagnostics_interface_t size");

// Constants of busbar/ext/diagnostics.h
_Static_assert(BB_TRACE_SENT == 1, "BB_TRACE_SENT");
_Static_assert(BB_TRACE_RECEIVED == 2, "BB_TRACE_RECEIVED");
_Static_assert(BB_TRACE_TIMEOUT == 3, "BB_TRACE_TIMEOUT");
_Static_assert(BB_TRACE_DISCARDED == 4, "BB_TRACE_DISCARDED");
_Static_assert(sizeof(BB_SERVICE_DIAGNOSTICS) == sizeof("busbar.diagnostics/1") && __builtin_strcmp(BB_SERVICE_DIAGNOSTICS, "busbar.diagnostics/1") == 0, "BB_SERVICE_DIAGNOSTICS");
_Static_assert(sizeof(BB_INTERFACE_DIAGNOSTICS) == sizeof("busbar.diagnostics/1") && __builtin_strcmp(BB_INTERFACE_DIAGNOSTICS, "busbar.diagnostics/1") == 0, "BB_INTERFACE_DIAGNOSTICS");

// bb_candidate_t
_Static_assert(offsetof(bb_candidate_t, size) == 0, "bb_candidate_t.size offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->size, uint32_t: 1, default: 0), "bb_candidate_t.size type");
_Static_assert(sizeof(((bb_candidate_t *)0)->size) == 4, "bb_candidate_t.size size");
_Static_assert(offsetof(bb_candidate_t, reserved) == 4, "bb_candidate_t.reserved offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->reserved, uint32_t: 1, default: 0), "bb_candidate_t.reserved type");
_Static_assert(sizeof(((bb_candidate_t *)0)->reserved) == 4, "bb_candidate_t.reserved size");
_Static_assert(offsetof(bb_candidate_t, template_name) == 8, "bb_candidate_t.template_name offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->template_name, bb_str_t: 1, default: 0), "bb_candidate_t.template_name type");
_Static_assert(sizeof(((bb_candidate_t *)0)->template_name) == 16, "bb_candidate_t.template_name size");
_Static_assert(offsetof(bb_candidate_t, device_config) == 24, "bb_candidate_t.device_config offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->device_config, bb_str_t: 1, default: 0), "bb_candidate_t.device_config type");
_Static_assert(sizeof(((bb_candidate_t *)0)->device_config) == 16, "bb_candidate_t.device_config size");
_Static_assert(offsetof(bb_candidate_t, vendor) == 40, "bb_candidate_t.vendor offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->vendor, bb_str_t: 1, default: 0), "bb_candidate_t.vendor type");
_Static_assert(sizeof(((bb_candidate_t *)0)->vendor) == 16, "bb_candidate_t.vendor size");
_Static_assert(offsetof(bb_candidate_t, model) == 56, "bb_candidate_t.model offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->model, bb_str_t: 1, default: 0), "bb_candidate_t.model type");
_Static_assert(sizeof(((bb_candidate_t *)0)->model) == 16, "bb_candidate_t.model size");
_Static_assert(offsetof(bb_candidate_t, serial) == 72, "bb_candidate_t.serial offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->serial, bb_str_t: 1, default: 0), "bb_candidate_t.serial type");
_Static_assert(sizeof(((bb_candidate_t *)0)->serial) == 16, "bb_candidate_t.serial size");
_Static_assert(offsetof(bb_candidate_t, firmware) == 88, "bb_candidate_t.firmware offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->firmware, bb_str_t: 1, default: 0), "bb_candidate_t.firmware type");
_Static_assert(sizeof(((bb_candidate_t *)0)->firmware) == 16, "bb_candidate_t.firmware size");
_Static_assert(offsetof(bb_candidate_t, confidence) == 104, "bb_candidate_t.confidence offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->confidence, double: 1, default: 0), "bb_candidate_t.confidence type");
_Static_assert(sizeof(((bb_candidate_t *)0)->confidence) == 8, "bb_candidate_t.confidence size");
_Static_assert(offsetof(bb_candidate_t, others) == 112, "bb_candidate_t.others offset");
_Static_assert(_Generic(((bb_candidate_t *)0)->others, bb_str_t: 1, default: 0), "bb_candidate_t.others type");
_Static_assert(sizeof(((bb_candidate_t *)0)->others) == 16, "bb_candidate_t.others size");
_Static_assert(sizeof(bb_candidate_t) >= 128, "bb_candidate_t size");

// bb_scan_t
_Static_assert(offsetof(bb_scan_t, size) == 0, "bb_scan_t.size offset");
_Static_assert(_Generic(((bb_scan_t *)0)->size, uint32_t: 1, default: 0), "bb_scan_t.size type");
_Static_assert(sizeof(((bb_scan_t *)0)->size) == 4, "bb_scan_t.size size");
_Static_assert(offsetof(bb_scan_t, step) == 4, "bb_scan_t.step offset");
_Static_assert(_Generic(((bb_scan_t *)0)->step, uint32_t: 1, default: 0), "bb_scan_t.step type");
_Static_assert(sizeof(((bb_scan_t *)0)->step) == 4, "bb_scan_t.step size");
_Static_assert(offsetof(bb_scan_t, steps) == 8, "bb_scan_t.steps offset");
_Static_assert(_Generic(((bb_scan_t *)0)->steps, uint32_t: 1, default: 0), "bb_scan_t.steps type");
_Static_assert(sizeof(((bb_scan_t *)0)->steps) == 4, "bb_scan_t.steps size");
_Static_assert(offsetof(bb_scan_t, flags) == 12, "bb_scan_t.flags offset");
_Static_assert(_Generic(((bb_scan_t *)0)->flags, uint32_t: 1, default: 0), "bb_scan_t.flags type");
_Static_assert(sizeof(((bb_scan_t *)0)->flags) == 4, "bb_scan_t.flags size");
_Static_assert(offsetof(bb_scan_t, documents) == 16, "bb_scan_t.documents offset");
_Static_assert(_Generic(((bb_scan_t *)0)->documents, bb_str_t: 1, default: 0), "bb_scan_t.documents type");
_Static_assert(sizeof(((bb_scan_t *)0)->documents) == 16, "bb_scan_t.documents size");
_Static_assert(sizeof(bb_scan_t) >= 32, "bb_scan_t size");

// bb_discovery_service_t
_Static_assert(offsetof(bb_discovery_service_t, size) == 0, "bb_discovery_service_t.size offset");
_Static_assert(_Generic(((bb_discovery_service_t *)0)->size, uint32_t: 1, default: 0), "bb_discovery_service_t.size type");
_Static_assert(sizeof(((bb_discovery_service_t *)0)->size) == 4, "bb_discovery_service_t.size size");
_Static_assert(offsetof(bb_discovery_service_t, reserved) == 4, "bb_discovery_service_t.reserved offset");
_Static_assert(_Generic(((bb_discovery_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_discovery_service_t.reserved type");
_Static_assert(sizeof(((bb_discovery_service_t *)0)->reserved) == 4, "bb_discovery_service_t.reserved size");
_Static_assert(offsetof(bb_discovery_service_t, propose) == 8, "bb_discovery_service_t.propose offset");
_Static_assert(_Generic(((bb_discovery_service_t *)0)->propose, int32_t (*)(const bb_host_t *, const bb_call_t *, const bb_candidate_t *): 1, default: 0), "bb_discovery_service_t.propose type");
_Static_assert(sizeof(bb_discovery_service_t) >= 16, "bb_discovery_service_t size");

// bb_discovery_interface_t
_Static_assert(offsetof(bb_discovery_interface_t, size) == 0, "bb_discovery_interface_t.size offset");
_Static_assert(_Generic(((bb_discovery_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_discovery_interface_t.size type");
_Static_assert(sizeof(((bb_discovery_interface_t *)0)->size) == 4, "bb_discovery_interface_t.size size");
_Static_assert(offsetof(bb_discovery_interface_t, reserved) == 4, "bb_discovery_interface_t.reserved offset");
_Static_assert(_Generic(((bb_discovery_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_discovery_interface_t.reserved type");
_Static_assert(sizeof(((bb_discovery_interface_t *)0)->reserved) == 4, "bb_discovery_interface_t.reserved size");
_Static_assert(offsetof(bb_discovery_interface_t, scan) == 8, "bb_discovery_interface_t.scan offset");
_Static_assert(_Generic(((bb_discovery_interface_t *)0)->scan, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, bb_scan_t *): 1, default: 0), "bb_discovery_interface_t.scan type");
_Static_assert(sizeof(bb_discovery_interface_t) >= 16, "bb_discovery_interface_t size");

// Constants of busbar/ext/discovery.h
_Static_assert(BB_SCAN_EVERYWHERE == 1, "BB_SCAN_EVERYWHERE");
_Static_assert(sizeof(BB_SERVICE_DISCOVERY) == sizeof("busbar.discovery/1") && __builtin_strcmp(BB_SERVICE_DISCOVERY, "busbar.discovery/1") == 0, "BB_SERVICE_DISCOVERY");
_Static_assert(sizeof(BB_INTERFACE_DISCOVERY) == sizeof("busbar.discovery/1") && __builtin_strcmp(BB_INTERFACE_DISCOVERY, "busbar.discovery/1") == 0, "BB_INTERFACE_DISCOVERY");

// bb_event_service_t
_Static_assert(offsetof(bb_event_service_t, size) == 0, "bb_event_service_t.size offset");
_Static_assert(_Generic(((bb_event_service_t *)0)->size, uint32_t: 1, default: 0), "bb_event_service_t.size type");
_Static_assert(sizeof(((bb_event_service_t *)0)->size) == 4, "bb_event_service_t.size size");
_Static_assert(offsetof(bb_event_service_t, reserved) == 4, "bb_event_service_t.reserved offset");
_Static_assert(_Generic(((bb_event_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_event_service_t.reserved type");
_Static_assert(sizeof(((bb_event_service_t *)0)->reserved) == 4, "bb_event_service_t.reserved size");
_Static_assert(offsetof(bb_event_service_t, watch) == 8, "bb_event_service_t.watch offset");
_Static_assert(_Generic(((bb_event_service_t *)0)->watch, int32_t (*)(const bb_host_t *, uint32_t, int32_t, uint32_t, uint64_t): 1, default: 0), "bb_event_service_t.watch type");
_Static_assert(offsetof(bb_event_service_t, timer) == 16, "bb_event_service_t.timer offset");
_Static_assert(_Generic(((bb_event_service_t *)0)->timer, int32_t (*)(const bb_host_t *, uint32_t, int64_t, int64_t, uint64_t): 1, default: 0), "bb_event_service_t.timer type");
_Static_assert(offsetof(bb_event_service_t, wake) == 24, "bb_event_service_t.wake offset");
_Static_assert(_Generic(((bb_event_service_t *)0)->wake, int32_t (*)(const bb_host_t *, uint32_t, uint64_t): 1, default: 0), "bb_event_service_t.wake type");
_Static_assert(sizeof(bb_event_service_t) >= 32, "bb_event_service_t size");

// bb_event_interface_t
_Static_assert(offsetof(bb_event_interface_t, size) == 0, "bb_event_interface_t.size offset");
_Static_assert(_Generic(((bb_event_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_event_interface_t.size type");
_Static_assert(sizeof(((bb_event_interface_t *)0)->size) == 4, "bb_event_interface_t.size size");
_Static_assert(offsetof(bb_event_interface_t, reserved) == 4, "bb_event_interface_t.reserved offset");
_Static_assert(_Generic(((bb_event_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_event_interface_t.reserved type");
_Static_assert(sizeof(((bb_event_interface_t *)0)->reserved) == 4, "bb_event_interface_t.reserved size");
_Static_assert(offsetof(bb_event_interface_t, on_ready) == 8, "bb_event_interface_t.on_ready offset");
_Static_assert(_Generic(((bb_event_interface_t *)0)->on_ready, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, int32_t, uint32_t, uint64_t): 1, default: 0), "bb_event_interface_t.on_ready type");
_Static_assert(offsetof(bb_event_interface_t, on_timer) == 16, "bb_event_interface_t.on_timer offset");
_Static_assert(_Generic(((bb_event_interface_t *)0)->on_timer, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint64_t): 1, default: 0), "bb_event_interface_t.on_timer type");
_Static_assert(offsetof(bb_event_interface_t, on_wake) == 24, "bb_event_interface_t.on_wake offset");
_Static_assert(_Generic(((bb_event_interface_t *)0)->on_wake, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint64_t): 1, default: 0), "bb_event_interface_t.on_wake type");
_Static_assert(sizeof(bb_event_interface_t) >= 32, "bb_event_interface_t size");

// Constants of busbar/ext/event.h
_Static_assert(BB_WATCH_READ == 1, "BB_WATCH_READ");
_Static_assert(BB_WATCH_WRITE == 2, "BB_WATCH_WRITE");
_Static_assert(sizeof(BB_SERVICE_EVENT) == sizeof("busbar.event/1") && __builtin_strcmp(BB_SERVICE_EVENT, "busbar.event/1") == 0, "BB_SERVICE_EVENT");
_Static_assert(sizeof(BB_INTERFACE_EVENT) == sizeof("busbar.event/1") && __builtin_strcmp(BB_INTERFACE_EVENT, "busbar.event/1") == 0, "BB_INTERFACE_EVENT");

// bb_record_service_t
_Static_assert(offsetof(bb_record_service_t, size) == 0, "bb_record_service_t.size offset");
_Static_assert(_Generic(((bb_record_service_t *)0)->size, uint32_t: 1, default: 0), "bb_record_service_t.size type");
_Static_assert(sizeof(((bb_record_service_t *)0)->size) == 4, "bb_record_service_t.size size");
_Static_assert(offsetof(bb_record_service_t, reserved) == 4, "bb_record_service_t.reserved offset");
_Static_assert(_Generic(((bb_record_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_record_service_t.reserved type");
_Static_assert(sizeof(((bb_record_service_t *)0)->reserved) == 4, "bb_record_service_t.reserved size");
_Static_assert(offsetof(bb_record_service_t, record) == 8, "bb_record_service_t.record offset");
_Static_assert(_Generic(((bb_record_service_t *)0)->record, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, bb_str_t, bb_str_t): 1, default: 0), "bb_record_service_t.record type");
_Static_assert(sizeof(bb_record_service_t) >= 16, "bb_record_service_t size");

// Constants of busbar/ext/record.h
_Static_assert(sizeof(BB_SERVICE_RECORD) == sizeof("busbar.record/1") && __builtin_strcmp(BB_SERVICE_RECORD, "busbar.record/1") == 0, "BB_SERVICE_RECORD");

// bb_simulate_interface_t
_Static_assert(offsetof(bb_simulate_interface_t, size) == 0, "bb_simulate_interface_t.size offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_simulate_interface_t.size type");
_Static_assert(sizeof(((bb_simulate_interface_t *)0)->size) == 4, "bb_simulate_interface_t.size size");
_Static_assert(offsetof(bb_simulate_interface_t, reserved) == 4, "bb_simulate_interface_t.reserved offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_simulate_interface_t.reserved type");
_Static_assert(sizeof(((bb_simulate_interface_t *)0)->reserved) == 4, "bb_simulate_interface_t.reserved size");
_Static_assert(offsetof(bb_simulate_interface_t, start) == 8, "bb_simulate_interface_t.start offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->start, int32_t (*)(const bb_host_t *, const bb_call_t *, bb_str_t, void **): 1, default: 0), "bb_simulate_interface_t.start type");
_Static_assert(offsetof(bb_simulate_interface_t, serve) == 16, "bb_simulate_interface_t.serve offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->serve, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, int32_t, uint32_t): 1, default: 0), "bb_simulate_interface_t.serve type");
_Static_assert(offsetof(bb_simulate_interface_t, set) == 24, "bb_simulate_interface_t.set offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->set, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, bb_str_t, bb_str_t): 1, default: 0), "bb_simulate_interface_t.set type");
_Static_assert(offsetof(bb_simulate_interface_t, finish) == 32, "bb_simulate_interface_t.finish offset");
_Static_assert(_Generic(((bb_simulate_interface_t *)0)->finish, void (*)(const bb_host_t *, const bb_call_t *, void *): 1, default: 0), "bb_simulate_interface_t.finish type");
_Static_assert(sizeof(bb_simulate_interface_t) >= 40, "bb_simulate_interface_t size");

// Constants of busbar/ext/simulate.h
_Static_assert(sizeof(BB_INTERFACE_SIMULATE) == sizeof("busbar.simulate/1") && __builtin_strcmp(BB_INTERFACE_SIMULATE, "busbar.simulate/1") == 0, "BB_INTERFACE_SIMULATE");

// bb_store_service_t
_Static_assert(offsetof(bb_store_service_t, size) == 0, "bb_store_service_t.size offset");
_Static_assert(_Generic(((bb_store_service_t *)0)->size, uint32_t: 1, default: 0), "bb_store_service_t.size type");
_Static_assert(sizeof(((bb_store_service_t *)0)->size) == 4, "bb_store_service_t.size size");
_Static_assert(offsetof(bb_store_service_t, reserved) == 4, "bb_store_service_t.reserved offset");
_Static_assert(_Generic(((bb_store_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_store_service_t.reserved type");
_Static_assert(sizeof(((bb_store_service_t *)0)->reserved) == 4, "bb_store_service_t.reserved size");
_Static_assert(offsetof(bb_store_service_t, get) == 8, "bb_store_service_t.get offset");
_Static_assert(_Generic(((bb_store_service_t *)0)->get, int32_t (*)(const bb_host_t *, const bb_call_t *, uint32_t, bb_str_t, uint8_t *, uint32_t, uint32_t *): 1, default: 0), "bb_store_service_t.get type");
_Static_assert(offsetof(bb_store_service_t, set) == 16, "bb_store_service_t.set offset");
_Static_assert(_Generic(((bb_store_service_t *)0)->set, int32_t (*)(const bb_host_t *, const bb_call_t *, uint32_t, bb_str_t, bb_bytes_t): 1, default: 0), "bb_store_service_t.set type");
_Static_assert(sizeof(bb_store_service_t) >= 24, "bb_store_service_t size");

// Constants of busbar/ext/store.h
_Static_assert(sizeof(BB_SERVICE_STORE) == sizeof("busbar.store/1") && __builtin_strcmp(BB_SERVICE_STORE, "busbar.store/1") == 0, "BB_SERVICE_STORE");

// bb_stream_info_t
_Static_assert(offsetof(bb_stream_info_t, size) == 0, "bb_stream_info_t.size offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->size, uint32_t: 1, default: 0), "bb_stream_info_t.size type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->size) == 4, "bb_stream_info_t.size size");
_Static_assert(offsetof(bb_stream_info_t, fd) == 4, "bb_stream_info_t.fd offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->fd, int32_t: 1, default: 0), "bb_stream_info_t.fd type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->fd) == 4, "bb_stream_info_t.fd size");
_Static_assert(offsetof(bb_stream_info_t, kind) == 8, "bb_stream_info_t.kind offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->kind, uint32_t: 1, default: 0), "bb_stream_info_t.kind type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->kind) == 4, "bb_stream_info_t.kind size");
_Static_assert(offsetof(bb_stream_info_t, baud) == 12, "bb_stream_info_t.baud offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->baud, uint32_t: 1, default: 0), "bb_stream_info_t.baud type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->baud) == 4, "bb_stream_info_t.baud size");
_Static_assert(offsetof(bb_stream_info_t, bits_a_byte) == 16, "bb_stream_info_t.bits_a_byte offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->bits_a_byte, uint32_t: 1, default: 0), "bb_stream_info_t.bits_a_byte type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->bits_a_byte) == 4, "bb_stream_info_t.bits_a_byte size");
_Static_assert(offsetof(bb_stream_info_t, reserved) == 20, "bb_stream_info_t.reserved offset");
_Static_assert(_Generic(((bb_stream_info_t *)0)->reserved, uint32_t: 1, default: 0), "bb_stream_info_t.reserved type");
_Static_assert(sizeof(((bb_stream_info_t *)0)->reserved) == 4, "bb_stream_info_t.reserved size");
_Static_assert(sizeof(bb_stream_info_t) >= 24, "bb_stream_info_t size");

// bb_stream_service_t
_Static_assert(offsetof(bb_stream_service_t, size) == 0, "bb_stream_service_t.size offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->size, uint32_t: 1, default: 0), "bb_stream_service_t.size type");
_Static_assert(sizeof(((bb_stream_service_t *)0)->size) == 4, "bb_stream_service_t.size size");
_Static_assert(offsetof(bb_stream_service_t, reserved) == 4, "bb_stream_service_t.reserved offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_stream_service_t.reserved type");
_Static_assert(sizeof(((bb_stream_service_t *)0)->reserved) == 4, "bb_stream_service_t.reserved size");
_Static_assert(offsetof(bb_stream_service_t, open) == 8, "bb_stream_service_t.open offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->open, int32_t (*)(const bb_host_t *, const bb_call_t *, uint32_t, bb_str_t, bb_stream_info_t *): 1, default: 0), "bb_stream_service_t.open type");
_Static_assert(offsetof(bb_stream_service_t, close) == 16, "bb_stream_service_t.close offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->close, void (*)(const bb_host_t *, uint32_t, int32_t): 1, default: 0), "bb_stream_service_t.close type");
_Static_assert(offsetof(bb_stream_service_t, exchange) == 24, "bb_stream_service_t.exchange offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->exchange, int32_t (*)(const bb_host_t *, const bb_call_t *, int32_t, bb_bytes_t, uint32_t, uint32_t, uint8_t *, uint32_t, uint32_t *): 1, default: 0), "bb_stream_service_t.exchange type");
_Static_assert(offsetof(bb_stream_service_t, pause) == 32, "bb_stream_service_t.pause offset");
_Static_assert(_Generic(((bb_stream_service_t *)0)->pause, int32_t (*)(const bb_host_t *, const bb_call_t *, uint32_t): 1, default: 0), "bb_stream_service_t.pause type");
_Static_assert(sizeof(bb_stream_service_t) >= 40, "bb_stream_service_t size");

// Constants of busbar/ext/stream.h
_Static_assert(BB_STREAM_TCP == 1, "BB_STREAM_TCP");
_Static_assert(BB_STREAM_SERIAL == 2, "BB_STREAM_SERIAL");
_Static_assert(BB_UNTIL_LENGTH == 1, "BB_UNTIL_LENGTH");
_Static_assert(BB_UNTIL_BYTE == 2, "BB_UNTIL_BYTE");
_Static_assert(BB_UNTIL_SOME == 3, "BB_UNTIL_SOME");
_Static_assert(BB_UNTIL_QUIET == 4, "BB_UNTIL_QUIET");
_Static_assert(sizeof(BB_SERVICE_STREAM) == sizeof("busbar.stream/1") && __builtin_strcmp(BB_SERVICE_STREAM, "busbar.stream/1") == 0, "BB_SERVICE_STREAM");

// bb_peer_t
_Static_assert(offsetof(bb_peer_t, size) == 0, "bb_peer_t.size offset");
_Static_assert(_Generic(((bb_peer_t *)0)->size, uint32_t: 1, default: 0), "bb_peer_t.size type");
_Static_assert(sizeof(((bb_peer_t *)0)->size) == 4, "bb_peer_t.size size");
_Static_assert(offsetof(bb_peer_t, flags) == 4, "bb_peer_t.flags offset");
_Static_assert(_Generic(((bb_peer_t *)0)->flags, uint32_t: 1, default: 0), "bb_peer_t.flags type");
_Static_assert(sizeof(((bb_peer_t *)0)->flags) == 4, "bb_peer_t.flags size");
_Static_assert(offsetof(bb_peer_t, trust) == 8, "bb_peer_t.trust offset");
_Static_assert(_Generic(((bb_peer_t *)0)->trust, uint32_t: 1, default: 0), "bb_peer_t.trust type");
_Static_assert(sizeof(((bb_peer_t *)0)->trust) == 4, "bb_peer_t.trust size");
_Static_assert(offsetof(bb_peer_t, reserved) == 12, "bb_peer_t.reserved offset");
_Static_assert(_Generic(((bb_peer_t *)0)->reserved, uint32_t: 1, default: 0), "bb_peer_t.reserved type");
_Static_assert(sizeof(((bb_peer_t *)0)->reserved) == 4, "bb_peer_t.reserved size");
_Static_assert(offsetof(bb_peer_t, identity) == 16, "bb_peer_t.identity offset");
_Static_assert(_Generic(((bb_peer_t *)0)->identity, bb_str_t: 1, default: 0), "bb_peer_t.identity type");
_Static_assert(sizeof(((bb_peer_t *)0)->identity) == 16, "bb_peer_t.identity size");
_Static_assert(offsetof(bb_peer_t, subprotocol) == 32, "bb_peer_t.subprotocol offset");
_Static_assert(_Generic(((bb_peer_t *)0)->subprotocol, bb_str_t: 1, default: 0), "bb_peer_t.subprotocol type");
_Static_assert(sizeof(((bb_peer_t *)0)->subprotocol) == 16, "bb_peer_t.subprotocol size");
_Static_assert(offsetof(bb_peer_t, address) == 48, "bb_peer_t.address offset");
_Static_assert(_Generic(((bb_peer_t *)0)->address, bb_str_t: 1, default: 0), "bb_peer_t.address type");
_Static_assert(sizeof(((bb_peer_t *)0)->address) == 16, "bb_peer_t.address size");
_Static_assert(offsetof(bb_peer_t, subject) == 64, "bb_peer_t.subject offset");
_Static_assert(_Generic(((bb_peer_t *)0)->subject, bb_str_t: 1, default: 0), "bb_peer_t.subject type");
_Static_assert(sizeof(((bb_peer_t *)0)->subject) == 16, "bb_peer_t.subject size");
_Static_assert(offsetof(bb_peer_t, fingerprint) == 80, "bb_peer_t.fingerprint offset");
_Static_assert(_Generic(((bb_peer_t *)0)->fingerprint, bb_str_t: 1, default: 0), "bb_peer_t.fingerprint type");
_Static_assert(sizeof(((bb_peer_t *)0)->fingerprint) == 16, "bb_peer_t.fingerprint size");
_Static_assert(offsetof(bb_peer_t, ski) == 96, "bb_peer_t.ski offset");
_Static_assert(_Generic(((bb_peer_t *)0)->ski, bb_str_t: 1, default: 0), "bb_peer_t.ski type");
_Static_assert(sizeof(((bb_peer_t *)0)->ski) == 16, "bb_peer_t.ski size");
_Static_assert(sizeof(bb_peer_t) >= 112, "bb_peer_t size");

// bb_websocket_service_t
_Static_assert(offsetof(bb_websocket_service_t, size) == 0, "bb_websocket_service_t.size offset");
_Static_assert(_Generic(((bb_websocket_service_t *)0)->size, uint32_t: 1, default: 0), "bb_websocket_service_t.size type");
_Static_assert(sizeof(((bb_websocket_service_t *)0)->size) == 4, "bb_websocket_service_t.size size");
_Static_assert(offsetof(bb_websocket_service_t, reserved) == 4, "bb_websocket_service_t.reserved offset");
_Static_assert(_Generic(((bb_websocket_service_t *)0)->reserved, uint32_t: 1, default: 0), "bb_websocket_service_t.reserved type");
_Static_assert(sizeof(((bb_websocket_service_t *)0)->reserved) == 4, "bb_websocket_service_t.reserved size");
_Static_assert(offsetof(bb_websocket_service_t, send) == 8, "bb_websocket_service_t.send offset");
_Static_assert(_Generic(((bb_websocket_service_t *)0)->send, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, bb_bytes_t): 1, default: 0), "bb_websocket_service_t.send type");
_Static_assert(offsetof(bb_websocket_service_t, close) == 16, "bb_websocket_service_t.close offset");
_Static_assert(_Generic(((bb_websocket_service_t *)0)->close, int32_t (*)(const bb_host_t *, uint32_t, uint32_t, bb_str_t): 1, default: 0), "bb_websocket_service_t.close type");
_Static_assert(sizeof(bb_websocket_service_t) >= 24, "bb_websocket_service_t size");

// bb_websocket_interface_t
_Static_assert(offsetof(bb_websocket_interface_t, size) == 0, "bb_websocket_interface_t.size offset");
_Static_assert(_Generic(((bb_websocket_interface_t *)0)->size, uint32_t: 1, default: 0), "bb_websocket_interface_t.size type");
_Static_assert(sizeof(((bb_websocket_interface_t *)0)->size) == 4, "bb_websocket_interface_t.size size");
_Static_assert(offsetof(bb_websocket_interface_t, reserved) == 4, "bb_websocket_interface_t.reserved offset");
_Static_assert(_Generic(((bb_websocket_interface_t *)0)->reserved, uint32_t: 1, default: 0), "bb_websocket_interface_t.reserved type");
_Static_assert(sizeof(((bb_websocket_interface_t *)0)->reserved) == 4, "bb_websocket_interface_t.reserved size");
_Static_assert(offsetof(bb_websocket_interface_t, on_open) == 8, "bb_websocket_interface_t.on_open offset");
_Static_assert(_Generic(((bb_websocket_interface_t *)0)->on_open, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, const bb_peer_t *): 1, default: 0), "bb_websocket_interface_t.on_open type");
_Static_assert(offsetof(bb_websocket_interface_t, on_message) == 16, "bb_websocket_interface_t.on_message offset");
_Static_assert(_Generic(((bb_websocket_interface_t *)0)->on_message, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint32_t, bb_bytes_t): 1, default: 0), "bb_websocket_interface_t.on_message type");
_Static_assert(offsetof(bb_websocket_interface_t, on_closed) == 24, "bb_websocket_interface_t.on_closed offset");
_Static_assert(_Generic(((bb_websocket_interface_t *)0)->on_closed, int32_t (*)(const bb_host_t *, const bb_call_t *, void *, uint32_t, bb_str_t): 1, default: 0), "bb_websocket_interface_t.on_closed type");
_Static_assert(sizeof(bb_websocket_interface_t) >= 32, "bb_websocket_interface_t size");

// Constants of busbar/ext/websocket.h
_Static_assert(BB_MESSAGE_TEXT == 1, "BB_MESSAGE_TEXT");
_Static_assert(BB_MESSAGE_BINARY == 2, "BB_MESSAGE_BINARY");
_Static_assert(BB_TRUST_NONE == 1, "BB_TRUST_NONE");
_Static_assert(BB_TRUST_PENDING == 2, "BB_TRUST_PENDING");
_Static_assert(BB_TRUST_PASSWORD == 3, "BB_TRUST_PASSWORD");
_Static_assert(BB_TRUST_CERTIFICATE == 4, "BB_TRUST_CERTIFICATE");
_Static_assert(BB_PEER_TLS == 1, "BB_PEER_TLS");
_Static_assert(sizeof(BB_SERVICE_WEBSOCKET) == sizeof("busbar.websocket/1") && __builtin_strcmp(BB_SERVICE_WEBSOCKET, "busbar.websocket/1") == 0, "BB_SERVICE_WEBSOCKET");
_Static_assert(sizeof(BB_INTERFACE_WEBSOCKET) == sizeof("busbar.websocket/1") && __builtin_strcmp(BB_INTERFACE_WEBSOCKET, "busbar.websocket/1") == 0, "BB_INTERFACE_WEBSOCKET");

// Arithmetic
_Static_assert(BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT) == -65537, "BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT)");
_Static_assert(BB_FAIL(BB_CLASS_BUG, 0xFFFF) == -524287, "BB_FAIL(BB_CLASS_BUG, 0xFFFF)");
_Static_assert(BB_CLASS_OF(-65537) == 1, "BB_CLASS_OF(-65537)");
_Static_assert(BB_REASON_OF(-65537) == 1, "BB_REASON_OF(-65537)");
_Static_assert(BB_BAD(7) == 0x8007, "BB_BAD(7)");
_Static_assert(BB_UNCERTAIN(2) == 0x4002, "BB_UNCERTAIN(2)");
_Static_assert(BB_ABI_MAJOR_OF(0x10002) == 1, "BB_ABI_MAJOR_OF(0x10002)");
_Static_assert(BB_ABI_MINOR_OF(0x10002) == 2, "BB_ABI_MINOR_OF(0x10002)");
_Static_assert(BB_ABI_MAJOR == 0, "BB_ABI_MAJOR");
