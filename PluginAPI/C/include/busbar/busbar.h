// SPDX-License-Identifier: Apache-2.0
// The core of the contract in one include. Extensions are included one by one from busbar/ext.
#ifndef BUSBAR_H
#define BUSBAR_H

#include "abi.h"
#include "types.h"
#include "point.h"
#include "units.h"
#include "host.h"
#include "adapter.h"

#endif
