// SPDX-License-Identifier: Apache-2.0
// Nothing to include: manifest.c only puts manifest.json into the section that the host reads (plugin-abi.md, 5).
