#include "app/folder.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/arena.h"

static enum status make_one(const char *path, struct problem *problem)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return STATUS_OK;
	return problem_set(problem, ERR_IO, "", "cannot make the folder %s: %s", path, strerror(errno));
}

enum status folder_make(struct slice path, struct problem *problem)
{
	struct arena arena = { 0 };
	char *text = arena_text(&arena, path);
	enum status status = STATUS_OK;
	for (size_t i = 1; i <= path.size && status == STATUS_OK; i++) {
		char end = text[i];
		if (end != '/' && end != '\0')
			continue;
		text[i] = '\0';
		status = make_one(text, problem);
		text[i] = end;
	}
	arena_clean_up(&arena);
	return status;
}

enum status folder_make_for_database(struct slice url, struct problem *problem)
{
	static const struct slice scheme = SLICE("sqlite:");
	if (!slice_starts_with(url, scheme))
		return STATUS_OK;
	struct slice path = slice_skip(url, scheme.size);
	while (path.size && path.data[path.size - 1] != '/')
		path.size--;
	return path.size > 1 ? folder_make((struct slice) { path.data, path.size - 1 }, problem) : STATUS_OK;
}
