#include "payfile/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

struct journal {
	int file;
	bool is_broken;
};

/* Which fields of an order a line holds. */
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{ "payment_id", offsetof(struct payment_order, payment_id) },
	{ "status", offsetof(struct payment_order, status) },
	{ "rail", offsetof(struct payment_order, rail) },
	{ "fee", offsetof(struct payment_order, fee) },
	{ "code", offsetof(struct payment_order, code) },
	{ "detail", offsetof(struct payment_order, detail) },
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static void take_line(
        struct slice line, struct payment_file *file, char (*keys)[ORDER_KEY_SIZE], size_t *cursor, struct arena *arena)
{
	const struct json *json;
	if (json_parse(line, arena, &json, NULL) != STATUS_OK || json->type != JSON_OBJECT)
		return;
	const struct json *key = json_member(json, "key");
	/* Lines stand nearly in the order of the file: look on from the last hit. */
	for (size_t step = 0; key && step < file->count; step++) {
		size_t index = (*cursor + step) % file->count;
		if (!slice_is(key->text, keys[index]))
			continue;
		struct payment_order *order = &file->orders[index];
		for (int i = 0; i < FIELD_COUNT; i++) {
			const struct json *value = json_member(json, fields[i].name);
			*(struct slice *)((char *)order + fields[i].offset) = value ? value->text : SLICE_EMPTY;
		}
		order->is_answered = true;
		*cursor = index + 1;
		return;
	}
}

static enum status read_all(int descriptor, struct arena *arena, struct slice *ret_bytes)
{
	struct stat about;
	if (fstat(descriptor, &about))
		return ERR_IO;
	char *bytes = arena_alloc(arena, (size_t)about.st_size + 1);
	size_t size = 0;
	while (size < (size_t)about.st_size) {
		ssize_t got = read(descriptor, bytes + size, (size_t)about.st_size - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		size += (size_t)got;
	}
	*ret_bytes = (struct slice) { bytes, size };
	return STATUS_OK;
}

enum status journal_open(struct slice path, struct payment_file *file, char (*keys)[ORDER_KEY_SIZE],
        struct arena *arena, struct journal **ret_journal, struct problem *problem)
{
	struct slice rest, line = SLICE_EMPTY;
	size_t cursor = 0;
	int descriptor = open(arena_text(arena, path), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return problem_set(problem, ERR_IO, "", "%.100s: %s.", arena_text(arena, path), strerror(errno));
	if (flock(descriptor, LOCK_EX | LOCK_NB)) {
		close(descriptor);
		return problem_set(problem, ERR_CONFLICT, "", "Another run is paying this file.");
	}
	if (read_all(descriptor, arena, &rest) != STATUS_OK) {
		close(descriptor);
		return problem_set(problem, ERR_IO, "", "%.100s cannot be read.", arena_text(arena, path));
	}
	while (slice_split(&rest, '\n', &line))
		if (line.size)
			take_line(line, file, keys, &cursor, arena);
	*ret_journal = NEW(struct journal);
	(*ret_journal)->file = descriptor;
	/* A line that a crash cut off must not swallow the next one. */
	if (line.size && write(descriptor, "\n", 1) != 1)
		(*ret_journal)->is_broken = true;
	return STATUS_OK;
}

void journal_add(struct journal *journal, const char *key, const struct payment_order *order)
{
	struct arena arena = { 0 };
	struct writer out = writer_growing(&arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "key", slice_from(key));
	for (int i = 0; i < FIELD_COUNT; i++)
		json_key_text(&json, fields[i].name, *(const struct slice *)((const char *)order + fields[i].offset));
	json_object_close(&json);
	write_char(&out, '\n');
	if (write(journal->file, out.data, out.size) != (ssize_t)out.size && !journal->is_broken) {
		journal->is_broken = true;
		fprintf(stderr,
		        "agentpay: the journal cannot be written: %s; a later run will ask again for what it lacks.\n",
		        strerror(errno));
	}
	arena_clean_up(&arena);
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	close(journal->file);
	memory_free(journal);
}
