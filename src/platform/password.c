#include "platform/password.h"

#include <assert.h>
#include <pthread.h>

#include <sodium.h>

#include "base/writer.h"

enum { OPERATIONS = 2, MEMORY_BYTES = 19456 * 1024 };

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "the library's PHC string fits");

static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	int hashing;
	int waiting;
	char decoy[PASSWORD_HASH_MAX]; /* what an empty hash is compared with */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

static enum status pool_enter(void)
{
	enum status status = STATUS_OK;
	pthread_mutex_lock(&pool.lock);
	if (pool.hashing >= PASSWORD_HASHERS && pool.waiting >= PASSWORD_QUEUE_MAX) {
		status = ERR_OVERLOADED;
	} else {
		pool.waiting++;
		while (pool.hashing >= PASSWORD_HASHERS)
			pthread_cond_wait(&pool.left, &pool.lock);
		pool.waiting--;
		pool.hashing++;
	}
	pthread_mutex_unlock(&pool.lock);
	return status;
}

static void pool_leave(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.hashing--;
	pthread_cond_signal(&pool.left);
	pthread_mutex_unlock(&pool.lock);
}

/* A PHC string of our parameters that no password can be known for: salt and hash are random. It needs no hashing, so
 * the first login is not slower than the others. */
static void make_decoy(void)
{
	unsigned char salt[crypto_pwhash_SALTBYTES], hash[32];
	char salt_text[32], hash_text[48];
	int initialised = sodium_init();
	assert(initialised >= 0);
	randombytes_buf(salt, sizeof salt);
	randombytes_buf(hash, sizeof hash);
	sodium_bin2base64(salt_text, sizeof salt_text, salt, sizeof salt, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	sodium_bin2base64(hash_text, sizeof hash_text, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	struct writer decoy = writer_fixed(pool.decoy, sizeof pool.decoy - 1);
	writef(&decoy, "$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", MEMORY_BYTES / 1024, OPERATIONS, salt_text, hash_text);
	assert(!decoy.overflowed);
}

static void need_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_decoy);
}

enum status password_hash(struct slice password, char ret_hash[PASSWORD_HASH_MAX])
{
	char hash[crypto_pwhash_STRBYTES];
	need_library();
	TRY(pool_enter());
	int failed = crypto_pwhash_str_alg(
	        hash, password.data, password.size, OPERATIONS, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13);
	pool_leave();
	/* The library fails only when it gets no memory. */
	if (failed)
		return ERR_OVERLOADED;
	memcpy(ret_hash, hash, sizeof hash);
	return STATUS_OK;
}

enum status password_check(struct slice password, struct slice hash)
{
	char text[PASSWORD_HASH_MAX];
	need_library();
	bool is_known = hash.size > 0 && hash.size < sizeof text;
	TRY(pool_enter());
	memcpy(text, pool.decoy, sizeof text);
	if (is_known) {
		memcpy(text, hash.data, hash.size);
		text[hash.size] = '\0';
	}
	bool matches = crypto_pwhash_str_verify(text, password.data, password.size) == 0;
	pool_leave();
	return matches ? STATUS_OK : ERR_INVALID_CREDENTIALS;
}
