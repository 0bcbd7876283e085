// SPDX-License-Identifier: Apache-2.0
// Version, export, nullability and growth: what every other header stands on. Nothing else is in here.
#ifndef BUSBAR_ABI_H
#define BUSBAR_ABI_H

#include <stddef.h>
#include <stdint.h>

// One set of offsets for all: 64-bit pointers, little-endian (amd64, arm64).
#if !defined(__LP64__) || !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "busbar plugins are built for 64-bit little-endian systems only"
#endif

// While the major number is 0 the minor must match exactly, so that nobody ships on a draft by accident.
#define BB_ABI_MAJOR 0
#define BB_ABI_MINOR 1
#define BB_ABI_VERSION (((uint32_t)BB_ABI_MAJOR << 16) | (uint32_t)BB_ABI_MINOR)
#define BB_ABI_MAJOR_OF(version) ((uint32_t)(version) >> 16)
#define BB_ABI_MINOR_OF(version) ((uint32_t)(version) & 0xFFFFu)

// The one symbol that a plugin exports. The major number is in the name.
#define BB_ENTRY_SYMBOL "busbar_plugin_v0"

// The ELF section that holds the manifest (JSON text). The host reads it without executing anything.
#define BB_MANIFEST_SECTION ".busbar.manifest"

#if defined(__GNUC__)
#define BB_EXPORT __attribute__((visibility("default")))
#define BB_USED __attribute__((used))
#else
#define BB_EXPORT
#define BB_USED
#endif

// Every slot of a table may be absent, and every pointer field may be NULL unless its comment says otherwise.
#if defined(__clang__)
// Stays off after this header: clang warns where a macro is used, and -Wpedantic is to be quiet for vendors.
#pragma clang diagnostic ignored "-Wnullability-extension"
#define BB_NULLABLE _Nullable
#define BB_NONNULL _Nonnull
#else
#define BB_NULLABLE
#define BB_NONNULL
#endif

// True where the table is long enough to have the slot and the slot is filled.
#define BB_HAS(table, slot) \
  ((table)->size >= offsetof(__typeof__(*(table)), slot) + sizeof((table)->slot) && (table)->slot != NULL)

// True where the record is long enough to have the field. For fields that are not pointers.
#define BB_COVERS(record, field) \
  ((record)->size >= offsetof(__typeof__(*(record)), field) + sizeof((record)->field))

// Puts a manifest into the section that the host reads. `text` is one or more string literals.
// The section is not loaded into memory.
#define BB_STRINGIFY_TEXT(...) #__VA_ARGS__
#define BB_MANIFEST(...) \
  __asm__(".pushsection " BB_MANIFEST_SECTION ",\"\",@progbits\n\t.ascii " BB_STRINGIFY_TEXT(__VA_ARGS__) "\n\t.popsection")

// The same with the JSON itself in the parentheses, without quotes around it: BB_MANIFEST_JSON({ "id": "org.example.line" });
#define BB_MANIFEST_JSON(...) BB_MANIFEST(#__VA_ARGS__)

#endif
