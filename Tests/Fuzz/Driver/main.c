// SPDX-License-Identifier: Apache-2.0
// What libFuzzer, whose main is linked in, calls with each input. In C because SwiftPM gives a Swift program a main of
// its own.
#include <stddef.h>
#include <stdint.h>

int busbar_fuzz_one(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return busbar_fuzz_one(data, size); }
