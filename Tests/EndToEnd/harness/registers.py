# SPDX-License-Identifier: Apache-2.0
"""Numbers and texts as Modbus registers, high word first. Written with `struct`, not with any code of the project."""

import struct


def _words(data):
    return list(struct.unpack(f">{len(data) // 2}H", data))


def u16(value):
    return _words(struct.pack(">H", value))


def i16(value):
    return _words(struct.pack(">h", value))


def u32(value):
    return _words(struct.pack(">I", value))


def i32(value):
    return _words(struct.pack(">i", value))


def u64(value):
    return _words(struct.pack(">Q", value))


def i64(value):
    return _words(struct.pack(">q", value))


def f32(value):
    return _words(struct.pack(">f", value))


def f64(value):
    return _words(struct.pack(">d", value))


def text(value, registers):
    return _words(value.encode().ljust(registers * 2, b"\0"))


def low_word_first(words):
    return list(reversed(words))
