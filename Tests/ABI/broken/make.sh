#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the plugins that a loader must refuse, and good.so, which it must not. Usage: make.sh DIR
#
# Each file is named after its fault. DIR/index.tsv says for each: the path, when it is found out (check = without
# executing anything, load = only by loading it, good = not at all), and the fault in words. Nearly all have the same id,
# so a loader that is to judge each by itself gets them one at a time.
set -eu
[ $# -eq 1 ] || { echo "usage: ${0##*/} DIR" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
api=$here/../../../PluginAPI/C
mkdir -p "$1"
out=$(cd "$1" && pwd)
chmod 755 "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
: >"$out/index.tsv"

compiler=gcc
command -v gcc >/dev/null || compiler=clang

# note PATH STAGE FAULT
note() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$out/index.tsv"; }

# build NAME [FLAG…]: the plugin with these macros.
build() {
  local name=$1
  shift
  "$compiler" -std=c11 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -Wl,-z,noexecstack -Wl,-z,now \
    "-I$api/include" "$@" -o "$out/$name" "$here/plugin.c"
  chmod 644 "$out/$name"
}

# with_manifest NAME FILE [FLAG…]: with the manifest put in afterwards, as any language can do it.
with_manifest() {
  local name=$1 manifest=$2
  shift 2
  build "$name" -DNO_MANIFEST "$@"
  objcopy --add-section ".busbar.manifest=$manifest" --set-section-flags .busbar.manifest=noload,readonly "$out/$name"
}

# manifest FILE ID VERSION MAJOR MINOR [MORE]: MORE is more members with a comma at the end.
manifest() {
  printf '{"id": "%s", "version": "%s", "abi": {"major": %s, "minor": %s}, %s "adapters": [{"id": "sample"}]}' \
    "$2" "$3" "$4" "$5" "${6:-}" >"$1"
}

# patch FILE OFFSET BYTES-IN-HEX
patch() { printf "$(sed 's/../\\x&/g' <<<"$3")" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

build good.so
note good.so good "nothing is wrong with it"

# Files that are no library, or only a part of one.

: >"$out/empty.so"
note empty.so check "an empty file"
head -c 1500 "$out/good.so" >"$out/truncated.so"
note truncated.so check "the first 1,500 bytes of a plugin"
head -c $(($(stat -c %s "$out/good.so") - 100)) "$out/good.so" >"$out/truncated-at-the-end.so"
note truncated-at-the-end.so check "a plugin without its last 100 bytes"
printf '#!/bin/sh\necho I am a library\n' >"$out/text-file.so"
note text-file.so check "a text file"
head -c 65536 /dev/zero >"$out/zeros.so"
note zeros.so check "64 KiB of zeros"
mkdir -p "$out/directory.so"
note directory.so check "a directory"
[ -p "$out/fifo.so" ] || mkfifo -m 644 "$out/fifo.so"
note fifo.so check "a named pipe, which blocks whoever opens it without care"

# Libraries that are not for this host.

build no-manifest.so -DNO_MANIFEST
note no-manifest.so check "no section .busbar.manifest"
build no-symbol.so -DENTRY=another_function
note no-symbol.so check "does not export the entry"
build next-symbol.so -DENTRY=busbar_plugin_v9
note next-symbol.so check "exports the entry of another major version only"
manifest "$work/json" org.example.sample 1.0.0 0 2
with_manifest wrong-minor.so "$work/json" "-DABI=2"
note wrong-minor.so check "built for version 0.2 of the contract"
manifest "$work/json" org.example.sample 1.0.0 7 0
with_manifest wrong-major.so "$work/json" "-DABI=0x70000"
note wrong-major.so check "built for version 7.0 of the contract"
manifest "$work/json" org.example.sample 1.0.0 0 1 '"requires": ["busbar.telepathy/1"],'
with_manifest missing-service.so "$work/json"
note missing-service.so check "requires a service that no host offers"

machine=b700 target=aarch64-linux-gnu # 183, arm64
[ "$(uname -m)" = x86_64 ] || { machine=3e00 target=x86_64-linux-gnu; }
if ! clang --target=$target -std=c11 -O1 -fPIC -shared -ffreestanding -nostdlib -fuse-ld=lld "-I$api/include" \
  -o "$out/wrong-architecture.so" "$here/plugin.c" 2>/dev/null; then
  cp "$out/good.so" "$out/wrong-architecture.so"
  patch "$out/wrong-architecture.so" 18 $machine
fi
chmod 644 "$out/wrong-architecture.so"
note wrong-architecture.so check "built for another processor ($target)"
cp "$out/good.so" "$out/32-bit.so"
patch "$out/32-bit.so" 4 01
note 32-bit.so check "says that it is for 32-bit systems"
cp "$out/good.so" "$out/big-endian.so"
patch "$out/big-endian.so" 5 02
note big-endian.so check "says that it is for big-endian systems"
cp "$out/good.so" "$out/not-a-library.so"
patch "$out/not-a-library.so" 16 0100
note not-a-library.so check "an object file (ELF type REL)"
cp "$out/good.so" "$out/no-sections.so"
patch "$out/no-sections.so" 40 0000000000000000
patch "$out/no-sections.so" 60 0000
note no-sections.so check "without section headers"
cp "$out/good.so" "$out/sections-outside.so"
patch "$out/sections-outside.so" 40 f0ffffffffffff7f
note sections-outside.so check "whose section table lies behind the end of the file"

# Manifests that are none.

printf '{"id": "org.example.sample", "version": ' >"$work/json"
with_manifest manifest-not-json.so "$work/json"
note manifest-not-json.so check "a manifest that is not JSON"
printf '["org.example.sample"]' >"$work/json"
with_manifest manifest-not-an-object.so "$work/json"
note manifest-not-an-object.so check "a manifest that is a list"
printf '{"id": "org.example.sample\xff\xfe", "version": "1.0.0"}' >"$work/json"
with_manifest manifest-not-utf8.so "$work/json"
note manifest-not-utf8.so check "a manifest that is not UTF-8"
manifest "$work/json" org.example.sample 1.0.0 0 1 "\"notes\": \"$(head -c 2097152 /dev/zero | tr '\0' x)\","
with_manifest manifest-huge.so "$work/json"
note manifest-huge.so check "a manifest of 2 MiB"
printf '%.0s[' {1..100000} >"$work/json"
with_manifest manifest-deep.so "$work/json"
note manifest-deep.so check "a manifest of 100,000 open brackets"
: >"$work/json"
manifest "$work/json" ../../etc/passwd 1.0.0 0 1
with_manifest manifest-id-is-a-path.so "$work/json"
note manifest-id-is-a-path.so check "an id that is a path"
printf '{"id": "org.example.sample", "version": "1.0.0", "abi": {"major": 0, "minor": 1}, "adapters": []}' >"$work/json"
with_manifest manifest-no-adapters.so "$work/json"
note manifest-no-adapters.so check "a manifest without adapters"
printf '{"id": "org.example.sample", "version": "1.0.0", "abi": "0.1", "adapters": [{"id": "sample"}]}' >"$work/json"
with_manifest manifest-abi-is-text.so "$work/json"
note manifest-abi-is-text.so check "a manifest whose abi is a text"

# Files that somebody else could have written.

cp "$out/good.so" "$out/world-writable.so"
chmod 666 "$out/world-writable.so"
note world-writable.so check "everybody may write it"
cp "$out/good.so" "$out/group-writable.so"
chmod 664 "$out/group-writable.so"
note group-writable.so check "its group may write it"
mkdir -p "$out/group-writable-directory"
cp "$out/good.so" "$out/group-writable-directory/good.so"
chmod 775 "$out/group-writable-directory"
note group-writable-directory/good.so check "a good plugin in a directory that its group may write"
mkdir -p "$out/outside"
cp "$out/good.so" "$out/outside/target"
ln -sfn outside/target "$out/symlink-to-outside.so"
note symlink-to-outside.so check "a symbolic link to a file that is not in the plugin directory"
ln -sfn nowhere "$out/dangling-symlink.so"
note dangling-symlink.so check "a symbolic link to nothing"

# Libraries whose fault only shows when they are loaded.

manifest "$work/json" org.example.another 1.0.0 0 1
with_manifest id-differs.so "$work/json"
note id-differs.so load "the manifest says org.example.another, the code org.example.sample"
manifest "$work/json" org.example.sample 2.0.0 0 1
with_manifest version-differs.so "$work/json"
note version-differs.so load "the manifest says 2.0.0, the code 1.0.0"
build adapter-differs.so -DADAPTER='"other"'
note adapter-differs.so load "the manifest names the adapter sample, the code has other"
build abi-differs.so -DABI=2
note abi-differs.so load "the manifest says 0.1, the code was built for 0.2"
build refuses-host.so -DREFUSES
note refuses-host.so load "its entry returns NULL"
build unresolved.so -DUNRESOLVED
note unresolved.so load "needs a function that no library has"

# Refused by its manifest, and it would tell if somebody executed it all the same.
manifest "$work/json" org.example.sample 1.0.0 0 2
with_manifest tells-if-executed.so "$work/json" "-DCONSTRUCTOR=\"$out/EXECUTED\""
rm -f "$out/EXECUTED"
note tells-if-executed.so check "writes the file EXECUTED when it is loaded; its manifest says 0.2"

sort -o "$out/index.tsv" "$out/index.tsv"
echo "$(wc -l <"$out/index.tsv") plugins in $out"
