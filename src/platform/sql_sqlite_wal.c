#include "platform/sql_sqlite_wal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "base/arena.h"

/* SQLite's own files take less than 128 KiB in one call. */
enum { FRAME_SIZE = 24 + 4096, GATHER_SIZE = 31 * FRAME_SIZE };

/* An open log. What was gathered belongs at `start` and lies behind everything that was written before it. */
struct log_file {
	sqlite3_file file;
	sqlite3_file *system;
	bool gathers;
	char *bytes; /* made when first needed: readers never write */
	size_t size;
	sqlite3_int64 start;
};

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static sqlite3_file *system_of(sqlite3_file *file)
{
	return log_of(file)->system;
}

/* What cannot be written is forgotten, because the commit that it belongs to fails: written later, it might lie over
 * what another connection has stored there since. */
static int flush(struct log_file *log)
{
	size_t size = log->size;
	log->size = 0;
	return size ? log->system->pMethods->xWrite(log->system, log->bytes, (int)size, log->start) : SQLITE_OK;
}

static int log_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	bool follows = offset == log->start + (sqlite3_int64)log->size;
	if (!follows || log->size + (size_t)size > GATHER_SIZE) {
		int code = flush(log);
		if (code != SQLITE_OK)
			return code;
	}
	if (!log->gathers || size > GATHER_SIZE)
		return log->system->pMethods->xWrite(log->system, data, size, offset);
	if (log->size == 0)
		log->start = offset;
	memcpy(log->bytes + log->size, data, (size_t)size);
	log->size += (size_t)size;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
	int code = flush(log_of(file));
	return code == SQLITE_OK ? system_of(file)->pMethods->xRead(system_of(file), data, size, offset) : code;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = flush(log_of(file));
	return code == SQLITE_OK ? system_of(file)->pMethods->xTruncate(system_of(file), size) : code;
}

static int log_sync(sqlite3_file *file, int flags)
{
	int code = flush(log_of(file));
	return code == SQLITE_OK ? system_of(file)->pMethods->xSync(system_of(file), flags) : code;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	int code = flush(log_of(file));
	return code == SQLITE_OK ? system_of(file)->pMethods->xFileSize(system_of(file), ret_size) : code;
}

/* Nothing is gathered outside a COMMIT, so nothing is left to write. */
static int log_close(sqlite3_file *file)
{
	memory_free(log_of(file)->bytes);
	return system_of(file)->pMethods->xClose(system_of(file));
}

static int log_lock(sqlite3_file *file, int level)
{
	return system_of(file)->pMethods->xLock(system_of(file), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	return system_of(file)->pMethods->xUnlock(system_of(file), level);
}

static int log_check_reserved_lock(sqlite3_file *file, int *ret_is_reserved)
{
	return system_of(file)->pMethods->xCheckReservedLock(system_of(file), ret_is_reserved);
}

static int log_control(sqlite3_file *file, int operation, void *arg)
{
	return system_of(file)->pMethods->xFileControl(system_of(file), operation, arg);
}

static int log_sector_size(sqlite3_file *file)
{
	return system_of(file)->pMethods->xSectorSize(system_of(file));
}

static int log_characteristics(sqlite3_file *file)
{
	return system_of(file)->pMethods->xDeviceCharacteristics(system_of(file));
}

/* Version 1: a log is neither mapped nor shared memory. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_check_reserved_lock,
	.xFileControl = log_control,
	.xSectorSize = log_sector_size,
	.xDeviceCharacteristics = log_characteristics,
};

static sqlite3_vfs *system_vfs, gathering_vfs;

/* SQLite gives the memory: our struct, then the system's. */
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct log_file *log = log_of(file);
	(void)vfs;
	if (!(flags & SQLITE_OPEN_WAL))
		return system_vfs->xOpen(system_vfs, name, file, flags, ret_flags);
	*log = (struct log_file) { .system = (sqlite3_file *)(log + 1) };
	int code = system_vfs->xOpen(system_vfs, name, log->system, flags, ret_flags);
	if (code == SQLITE_OK)
		log->file.pMethods = &log_methods; /* else NULL: there is nothing to close */
	return code;
}

static void register_vfs(void)
{
	system_vfs = sqlite3_vfs_find(NULL);
	gathering_vfs = *system_vfs;
	gathering_vfs.pNext = NULL;
	gathering_vfs.zName = "gathering";
	gathering_vfs.szOsFile += (int)sizeof(struct log_file);
	gathering_vfs.xOpen = vfs_open;
	sqlite3_vfs_register(&gathering_vfs, false);
}

const char *wal_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_vfs);
	return gathering_vfs.zName;
}

/* NULL while the connection has no log. */
static struct log_file *find_log(struct sqlite3 *handle)
{
	sqlite3_file *file = NULL;
	sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
	return file && file->pMethods == &log_methods ? log_of(file) : NULL;
}

void wal_gather(struct sqlite3 *handle)
{
	struct log_file *log = find_log(handle);
	if (!log)
		return;
	if (!log->bytes)
		log->bytes = memory_new(1, GATHER_SIZE);
	log->gathers = true;
}

void wal_release(struct sqlite3 *handle)
{
	struct log_file *log = find_log(handle);
	if (!log)
		return;
	log->gathers = false;
	log->size = 0;
}
