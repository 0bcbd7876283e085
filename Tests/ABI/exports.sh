#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a plugin's file must look like from outside, whatever language it was written in. Usage: exports.sh FILE.so…
# Says nothing but failures and a last line “N passed, N failed”. Needs binutils and python3.
set -u
[ $# -gt 0 ] || { echo "usage: ${0##*/} FILE.so…" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
entry=$(sed -n 's/^#define BB_ENTRY_SYMBOL "\(.*\)"/\1/p' "$here/../../PluginAPI/C/include/busbar/abi.h")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# verdict FILE RULE PROBLEM: an empty problem passes.
verdict() {
  if [ -z "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "failed: ${1##*/}: $2: $3"
  fi
}

for file in "$@"; do
  if ! readelf -hSldW "$file" >"$work/header" 2>"$work/log" || grep -q 'Error' "$work/log" ||
    ! grep -q 'Type: *DYN' "$work/header" || ! grep -q 'Class: *ELF64' "$work/header"; then
    verdict "$file" "ELF" "is not a whole 64-bit shared object"
    continue
  fi
  verdict "$file" "ELF" ""

  defined=$(nm -D --defined-only "$file" 2>/dev/null | awk '{ print $NF }' | sed 's/@.*//' | sort)
  problem=""
  [ "$defined" = "$entry" ] ||
    problem="exports $(wc -w <<<"$defined") symbols ($(head -4 <<<"$defined" | paste -sd' ')), must export $entry alone"
  verdict "$file" "one export" "$problem"

  problem=""
  readelf -dW "$file" 2>/dev/null | grep -Eq '\(TEXTREL\)|FLAGS.*\bTEXTREL\b' && problem="built without -fPIC"
  verdict "$file" "no text relocations" "$problem"

  stack=$(readelf -lW "$file" 2>/dev/null | awk '$1 == "GNU_STACK" { print $(NF-1) }')
  problem=""
  [ -n "$stack" ] && [ "${stack/E/}" = "$stack" ] || problem="flags “$stack”; link with -z noexecstack"
  verdict "$file" "no executable stack" "$problem"

  rm -f "$work/manifest"
  objcopy --dump-section ".busbar.manifest=$work/manifest" "$file" /dev/null 2>"$work/log"
  problem=""
  if [ ! -s "$work/manifest" ]; then
    problem="there is no section .busbar.manifest"
  else
    problem=$(python3 - "$work/manifest" <<'PYTHON' 2>&1
import json, sys
try:
    with open(sys.argv[1], "rb") as file:
        manifest = json.loads(file.read().decode("utf-8"))
except (ValueError, RecursionError) as error:
    sys.exit(f"the manifest is not JSON: {error}")
if not isinstance(manifest, dict):
    sys.exit("the manifest is not an object")
for key in ("id", "version"):
    if not isinstance(manifest.get(key), str) or not manifest[key]:
        sys.exit(f"the manifest has no {key}")
abi = manifest.get("abi")
if not isinstance(abi, dict) or type(abi.get("major")) is not int or type(abi.get("minor")) is not int:
    sys.exit('the manifest has no "abi": {"major": N, "minor": N}')
adapters = manifest.get("adapters")
if not isinstance(adapters, list) or not adapters or not all(isinstance(a, dict) and a.get("id") for a in adapters):
    sys.exit("the manifest names no adapter")
PYTHON
    )
  fi
  verdict "$file" "manifest" "$problem"

  alloc=$(readelf -SW "$file" 2>/dev/null | sed -n 's/^ *\[ *[0-9]*\] *\.busbar\.manifest //p' | awk '{ print $6 }')
  problem=""
  [[ $alloc == *A* ]] && problem="the section is loaded into memory (flags $alloc)"
  verdict "$file" "manifest is not loaded" "$problem"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
