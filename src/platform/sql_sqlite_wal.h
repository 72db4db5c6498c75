/* Writes SQLite's log (WAL) in large pieces. SQLite writes each page of a commit in two calls, a header of 24 bytes and
 * 4096 bytes of page; here they are gathered while a COMMIT runs and written before its sync. Every other file and call
 * is the system's own. */
#pragma once

struct sqlite3;

/* The name to open a connection with. */
const char *wal_vfs(void);

/* Around COMMIT, on connections with synchronous=FULL or more: SQLite shows a commit to others, other processes too,
 * only after the sync of the log, and the sync writes what was gathered first. What could not be written fails the
 * sync, and so the commit. */
void wal_gather(struct sqlite3 *handle);
/* Drops what a failed commit left. */
void wal_release(struct sqlite3 *handle);
