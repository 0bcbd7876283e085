#include <sqlite3.h>

// Variadic, so not for Swift. 8 KiB of small blocks for a connection instead of 120 (sqlite3.h, SQLITE_CONFIG_LOOKASIDE): few
// statements run at a time here, and what does not fit comes from the heap.
static inline int busbar_sqlite_small_lookaside(sqlite3 *connection) {
  return sqlite3_db_config(connection, SQLITE_DBCONFIG_LOOKASIDE, (void *)0, 128, 64);
}
