// SPDX-License-Identifier: Apache-2.0
// Quantities, units and signs, one unit per quantity (interfaces 5). The plugin converts.
//
// Signs, per kind of device. Solar power: > 0 generates. Battery power: > 0 discharges, < 0 charges. Meter power: > 0
// imports from the grid, < 0 exports. EV charger, heat pump and load power: > 0 consumes. Per-phase powers, a battery's
// current and reactive power follow the sign of power; a power factor carries none beyond it. Energies are separate
// counters per direction that only grow.
#ifndef BUSBAR_UNITS_H
#define BUSBAR_UNITS_H

// X(number, NAME, "symbol", what it measures). Numbers are never reused.
#define BB_UNITS(X) \
  X(1, NONE, "", "text, enumerations and flags") \
  X(2, W, "W", "active power") \
  X(3, WH, "Wh", "active energy") \
  X(4, VA, "VA", "apparent power") \
  X(5, VAR, "var", "reactive power") \
  X(6, VARH, "varh", "reactive energy") \
  X(7, V, "V", "voltage") \
  X(8, A, "A", "current") \
  X(9, HZ, "Hz", "frequency") \
  X(10, CELSIUS, "\302\260C", "temperature") \
  X(11, PERCENT, "%", "share, 0 to 100") \
  X(12, S, "s", "duration") \
  X(13, ONE, "1", "ratio, factor or count") \
  X(14, M3, "m\302\263", "volume") \
  X(15, M3H, "m\302\263/h", "volume flow") \
  X(16, BAR, "bar", "pressure")

#define BB_UNIT_ENUM_(number, name, symbol, what) BB_UNIT_##name = number,
enum { BB_UNITS(BB_UNIT_ENUM_) BB_UNIT_END_ = 17 };
#undef BB_UNIT_ENUM_

// Quantities that share a unit with another one. 0 = what the unit's own row says.
enum {
  BB_QUANTITY_OF_UNIT = 0,
  BB_QUANTITY_STATE_OF_CHARGE = 1,
  BB_QUANTITY_STATE_OF_HEALTH = 2,
  BB_QUANTITY_POWER_FACTOR = 3
};

#endif
