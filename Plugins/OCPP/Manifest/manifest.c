// SPDX-License-Identifier: Apache-2.0
// The manifest as it is in the file beside, in the section that the host reads without loading anything.

#pragma clang diagnostic ignored "-Wc23-extensions"

__attribute__((section(".busbar.manifest"), used, retain)) static const unsigned char manifest[] = {
#embed "manifest.json"
};
