#include "app/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/folder.h"
#include "base/arena.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/uuid.h"
#include "base/writer.h"

enum { TEXT_SIZE = 2 * CRYPTO_KEY_SIZE + 1 };

static enum status fail(struct problem *problem, const char *what, const char *path)
{
	return problem_set(problem, ERR_IO, "KEY_FOLDER", "%s %s: %s", what, path, strerror(errno));
}

/* Writes a whole new key aside and links it into place, so that nobody ever reads half a key and the first one wins. */
static enum status make_key(const char *path, struct arena *arena, struct problem *problem)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	char text[TEXT_SIZE];
	struct writer out = writer_fixed(text, sizeof text);
	struct writer aside = writer_growing(arena);
	writef(&aside, "%s.", path);
	write_uuid(&aside, uuid_new());
	write_char(&aside, '\0');
	random_bytes(key, sizeof key);
	write_hex(&out, key, sizeof key);
	write_char(&out, '\n');

	int file = open(aside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written = file >= 0 && write(file, text, sizeof text) == (ssize_t)sizeof text && fsync(file) == 0;
	bool linked = written && (link(aside.data, path) == 0 || errno == EEXIST);
	enum status status = linked ? STATUS_OK : fail(problem, "cannot write the key file", path);
	if (file >= 0) {
		close(file);
		unlink(aside.data);
	}
	crypto_wipe(key, sizeof key);
	crypto_wipe(text, sizeof text);
	return status;
}

static enum status read_key(const char *path, unsigned char ret_key[CRYPTO_KEY_SIZE], struct problem *problem)
{
	char text[TEXT_SIZE + 1];
	size_t decoded;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return fail(problem, "cannot read the key file", path);
	struct stat about;
	ssize_t size = fstat(file, &about) == 0 ? read(file, text, sizeof text) : -1;
	close(file);
	if (size >= 0 && about.st_mode & (S_IRWXG | S_IRWXO)) {
		crypto_wipe(text, sizeof text);
		return problem_set(problem, ERR_IO, "KEY_FOLDER",
		        "the key file %s may be read by others; its mode must be 0600", path);
	}
	bool is_key =
	        size > 0 &&
	        hex_decode(slice_trim((struct slice) { text, (size_t)size }), ret_key, CRYPTO_KEY_SIZE, &decoded) &&
	        decoded == CRYPTO_KEY_SIZE;
	crypto_wipe(text, sizeof text);
	return is_key ? STATUS_OK
	              : problem_set(problem, ERR_IO, "KEY_FOLDER",
	                        "the key file %s holds no key of 64 hexadecimal digits", path);
}

enum status key_file_read(
        struct slice folder, const char *name, unsigned char ret_key[CRYPTO_KEY_SIZE], struct problem *problem)
{
	struct arena arena = { 0 };
	const char *path = arena_format(&arena, "%.*s/%s", SLICE_ARGS(folder), name).data;
	enum status status = folder_make(folder, problem);
	if (status == STATUS_OK && access(path, F_OK) != 0)
		status = make_key(path, &arena, problem);
	if (status == STATUS_OK)
		status = read_key(path, ret_key, problem);
	arena_clean_up(&arena);
	return status;
}
