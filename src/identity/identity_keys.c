#include "identity/identity_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

enum { KEY_FILE_MAX = 4096 };

static enum status file_failed(struct problem *problem, const char *path)
{
	return problem_set(problem, ERR_IO, "", "The key file %.120s: %s.", path, strerror(errno));
}

/* Writes aside and links into place, so that nobody ever sees half a key; the first of several processes wins. */
static enum status file_make(const char *path, struct slice content, struct problem *problem)
{
	char aside[PATH_MAX];
	struct uuid unique = uuid_new();
	struct writer name = writer_fixed(aside, sizeof aside - 1);
	writef(&name, "%s.", path);
	write_hex(&name, unique.bytes, sizeof unique.bytes);
	if (name.overflowed)
		return problem_set(problem, ERR_IO, "", "The path of the key folder is too long.");
	aside[name.size] = '\0';

	int file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return file_failed(problem, path);
	bool written = write(file, content.data, content.size) == (ssize_t)content.size && fsync(file) == 0;
	bool linked = written && (link(aside, path) == 0 || errno == EEXIST);
	enum status status = linked ? STATUS_OK : file_failed(problem, path);
	close(file);
	unlink(aside);
	return status;
}

static enum status file_read(const char *path, struct arena *arena, struct slice *ret_content, struct problem *problem)
{
	char *buffer = arena_alloc(arena, KEY_FILE_MAX);
	struct stat about;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return file_failed(problem, path);
	ssize_t size = fstat(file, &about) == 0 ? read(file, buffer, KEY_FILE_MAX) : -1;
	close(file);
	if (size < 0)
		return file_failed(problem, path);
	if (about.st_mode & (S_IRWXG | S_IRWXO))
		return problem_set(
		        problem, ERR_IO, "", "The key file %.120s may be read by others; its mode must be 0600.", path);
	*ret_content = slice_make(buffer, (size_t)size);
	return STATUS_OK;
}

/* Reads the file, made from `fresh` when it is absent. */
static enum status file_get(
        const char *path, struct slice fresh, struct arena *arena, struct slice *ret_content, struct problem *problem)
{
	if (access(path, F_OK) != 0)
		TRY(file_make(path, fresh, problem));
	return file_read(path, arena, ret_content, problem);
}

static enum status secret_get(
        const char *path, unsigned char ret_secret[CRYPTO_KEY_SIZE], struct arena *arena, struct problem *problem)
{
	unsigned char fresh[CRYPTO_KEY_SIZE];
	struct slice content;
	random_bytes(fresh, sizeof fresh);
	TRY(file_get(path, slice_make(fresh, sizeof fresh), arena, &content, problem));
	crypto_wipe(fresh, sizeof fresh);
	if (content.size != CRYPTO_KEY_SIZE)
		return problem_set(problem, ERR_IO, "", "The key file %.120s is damaged.", path);
	memcpy(ret_secret, content.data, CRYPTO_KEY_SIZE);
	return STATUS_OK;
}

static enum status signing_get(
        const char *path, struct signing_key **ret_key, struct arena *arena, struct problem *problem)
{
	struct slice pem;
	struct signing_key *fresh = signing_key_generate(SIGNATURE_ED25519);
	struct slice fresh_pem = signing_key_to_pem(fresh, arena);
	signing_key_free(fresh);
	TRY(file_get(path, fresh_pem, arena, &pem, problem));
	struct signing_key *key = signing_key_from_pem(pem);
	if (!key)
		return problem_set(problem, ERR_IO, "", "The key file %.120s holds no Ed25519 or P-256 key.", path);
	*ret_key = key;
	return STATUS_OK;
}

static enum status keys_read(
        struct slice folder, struct identity_keys *keys, struct arena *arena, struct problem *problem)
{
	const char *path = arena_text(arena, folder);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return problem_set(problem, ERR_IO, "", "The key folder %.120s: %s.", path, strerror(errno));
	TRY(secret_get(arena_format(arena, "%s/pepper.key", path).data, keys->pepper, arena, problem));
	TRY(secret_get(arena_format(arena, "%s/field.key", path).data, keys->field, arena, problem));
	TRY(signing_get(arena_format(arena, "%s/token.pem", path).data, &keys->signing, arena, problem));
	jwk_from_signing_key(keys->signing, &keys->jwk);
	return STATUS_OK;
}

enum status identity_keys_open(struct slice folder, struct identity_keys *ret_keys, struct problem *problem)
{
	struct arena arena = { 0 };
	struct identity_keys keys = { 0 };
	enum status status = keys_read(folder, &keys, &arena, problem);
	arena_clean_up(&arena);
	if (status == STATUS_OK)
		*ret_keys = keys;
	else
		identity_keys_close(&keys);
	return status;
}

void identity_keys_close(struct identity_keys *keys)
{
	jwk_clean_up(&keys->jwk);
	signing_key_free(keys->signing);
	crypto_wipe(keys, sizeof *keys);
}

struct sha256 identity_keys_hash(const struct identity_keys *keys, const char *purpose, struct slice text)
{
	char buffer[1024];
	struct writer out = writer_fixed(buffer, sizeof buffer);
	write_text(&out, purpose);
	write_char(&out, '\0');
	write_slice(&out, text);
	/* A text too long to be one of ours is hashed first: it matches nothing, in the same way. */
	if (out.overflowed) {
		struct sha256 digest = sha256(text);
		return identity_keys_hash(keys, purpose, slice_make(digest.bytes, sizeof digest.bytes));
	}
	struct sha256 hash = hmac_sha256(slice_make(keys->pepper, sizeof keys->pepper), writer_slice(&out));
	crypto_wipe(buffer, sizeof buffer);
	return hash;
}

struct slice identity_keys_seal(
        const struct identity_keys *keys, struct uuid owner, struct slice text, struct arena *arena)
{
	size_t size = text.size + CRYPTO_SEAL_OVERHEAD;
	unsigned char *sealed = arena_alloc(arena, size);
	crypto_seal(keys->field, text, slice_make(owner.bytes, sizeof owner.bytes), sealed);
	return slice_make(sealed, size);
}

enum status identity_keys_unseal(const struct identity_keys *keys, struct uuid owner, struct slice sealed,
        struct arena *arena, struct slice *ret_text)
{
	if (sealed.size < CRYPTO_SEAL_OVERHEAD)
		return ERR_DATABASE_CORRUPT;
	unsigned char *text = arena_alloc(arena, sealed.size - CRYPTO_SEAL_OVERHEAD + 1);
	if (!crypto_open(keys->field, sealed, slice_make(owner.bytes, sizeof owner.bytes), text))
		return ERR_DATABASE_CORRUPT;
	*ret_text = slice_make(text, sealed.size - CRYPTO_SEAL_OVERHEAD);
	return STATUS_OK;
}
