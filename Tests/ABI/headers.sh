#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles every header alone in every language standard a vendor may use, with all warnings as errors, for amd64 and
# arm64. Says nothing but failures and a last line “N passed, N failed”. Usage: headers.sh [folder with include/ and frozen/]
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$here/../../PluginAPI/C}
include=$root/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# verdict NAME COMMAND…
verdict() {
  local name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: $name"
    sed -n '1,8s/^/  /p' "$work/log"
  fi
}

flags=(-fsyntax-only -Wall -Wextra -Wpedantic -Wpadded -Werror "-I$include")
# Warnings that only one of the compilers knows.
strict_gcc=(-Wconversion -Wstrict-aliasing)
strict_clang=(-Wconversion -Wnullable-to-nonnull-conversion)
# arm64 needs no C library: stdint.h and stddef.h come with the compiler.
arm64=(--target=aarch64-linux-gnu -ffreestanding)

compilers=()
for compiler in gcc clang; do
  command -v "$compiler" >/dev/null && compilers+=("$compiler")
done
[ ${#compilers[@]} -gt 0 ] || { echo "neither gcc nor clang is installed" >&2; exit 1; }

while read -r header; do
  # A source that includes one header twice, and nothing before it.
  printf '#include <%s>\n#include <%s>\ntypedef int bb_unit_is_not_empty;\n' "$header" "$header" >"$work/alone.c"
  cp "$work/alone.c" "$work/alone.cc"
  for compiler in "${compilers[@]}"; do
    strict="strict_$compiler[@]"
    for standard in c99 c11 c17; do
      verdict "$header, $compiler $standard" "$compiler" -std=$standard "${flags[@]}" "${!strict}" "$work/alone.c"
    done
    for standard in c++11 c++17 c++20; do
      verdict "$header, $compiler $standard" "$compiler" -x c++ -std=$standard "${flags[@]}" "${!strict}" "$work/alone.cc"
    done
  done
  if command -v clang >/dev/null; then
    verdict "$header, clang c11 arm64" clang "${arm64[@]}" -std=c11 "${flags[@]}" "$work/alone.c"
    verdict "$header, clang c++17 arm64" clang "${arm64[@]}" -x c++ -std=c++17 "${flags[@]}" "$work/alone.cc"
  fi
done < <(cd "$include" && find busbar -name '*.h' | sort)

# The frozen files are C11: _Generic.
for frozen in "$root"/frozen/*.c; do
  for compiler in "${compilers[@]}"; do
    for standard in c11 c17; do
      verdict "${frozen##*/}, $compiler $standard" "$compiler" -std=$standard "${flags[@]}" "$frozen"
    done
  done
  if command -v clang >/dev/null; then
    verdict "${frozen##*/}, clang c11 arm64" clang "${arm64[@]}" -std=c11 "${flags[@]}" "$frozen"
  fi
done

# All headers as one module, as Swift sees them.
if command -v clang >/dev/null; then
  echo '#include <busbar/ext/stream.h>' >"$work/module.c"
  verdict "module map" clang -fsyntax-only -fmodules "-fmodules-cache-path=$work/cache" -Werror "-I$include" "$work/module.c"
fi

# What is not meant for it must not compile: 32-bit and big-endian systems.
refuses() { ! "$@"; }
if command -v clang >/dev/null; then
  for target in arm-linux-gnueabihf i386-linux-gnu aarch64_be-linux-gnu; do
    verdict "refuses $target" refuses clang --target=$target -ffreestanding -fsyntax-only "-I$include" "$work/module.c"
  done
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
