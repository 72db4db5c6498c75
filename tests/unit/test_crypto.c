#include "testing.h"

#include <pthread.h>

#include "base/encoding.h"
#include "platform/crypto.h"

static struct arena arena;

static int clean_up(void **state)
{
	(void)state;
	arena_clean_up(&arena);
	return 0;
}

static struct slice from_hex(const char *text)
{
	size_t size = strlen(text) / 2;
	char *bytes = arena_alloc(&arena, size + 1);
	assert_true(hex_decode(slice_from(text), bytes, size, &size));
	return slice_make(bytes, size);
}

static void assert_hex(const void *bytes, size_t size, const char *expected)
{
	struct writer out = writer_growing(&arena);
	write_hex(&out, bytes, size);
	assert_slice(writer_slice(&out), expected);
}

/* FIPS 180-2 appendix B.1 and the empty message. */
static void sha256_knows_the_standard_answers(void **state)
{
	(void)state;
	const char *abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	assert_hex(sha256(SLICE("abc")).bytes, SHA256_SIZE, abc);
	assert_hex(sha256(SLICE_EMPTY).bytes, SHA256_SIZE,
	        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	const struct slice parts[] = { SLICE("a"), SLICE_EMPTY, { NULL, 0 }, SLICE("bc") };
	assert_hex(sha256_parts(parts, 4).bytes, SHA256_SIZE, abc);
}

/* RFC 4231 test cases 1 and 2, and the MAC of nothing under an empty key. */
static void hmac_knows_the_standard_answers(void **state)
{
	(void)state;
	struct slice key = from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	assert_hex(hmac_sha256(key, SLICE("Hi There")).bytes, SHA256_SIZE,
	        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_hex(hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?")).bytes, SHA256_SIZE,
	        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	const char *nothing = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
	assert_hex(hmac_sha256(SLICE_EMPTY, SLICE_EMPTY).bytes, SHA256_SIZE, nothing);
	assert_hex(hmac_sha256((struct slice) { NULL, 0 }, (struct slice) { NULL, 0 }).bytes, SHA256_SIZE, nothing);
}

static void derived_identifiers_keep_their_parts_apart(void **state)
{
	(void)state;
	const struct slice left[] = { SLICE("ab"), SLICE("c") }, right[] = { SLICE("a"), SLICE("bc") };
	struct uuid uuid = uuid_derive(left, 2);
	assert_true(uuid_equal(uuid, uuid_derive(left, 2)));
	assert_false(uuid_equal(uuid, uuid_derive(right, 2)));
	assert_false(uuid_equal(uuid, uuid_derive(left, 1)));
	assert_int_equal(uuid.bytes[6] >> 4, 8);
	/* SHA-256 of 0000000000000002 "ab" 0000000000000001 "c" */
	const struct slice spelled[] = { from_hex("0000000000000002"), SLICE("ab"), from_hex("0000000000000001"),
		SLICE("c") };
	assert_true(uuid_equal(uuid, uuid_from_digest(sha256_parts(spelled, 4).bytes)));
}

static void equal_compares_size_and_content(void **state)
{
	(void)state;
	assert_true(crypto_equal(SLICE("secret"), SLICE("secret")));
	assert_true(crypto_equal(SLICE_EMPTY, SLICE_EMPTY));
	assert_false(crypto_equal(SLICE("secret"), SLICE("secreT")));
	assert_false(crypto_equal(SLICE("secret"), SLICE("secre")));
	assert_false(crypto_equal(SLICE("secre"), SLICE("secret")));
	char buffer[] = "key";
	crypto_wipe(buffer, sizeof buffer);
	assert_memory_equal(buffer, "\0\0\0\0", sizeof buffer);
}

static void what_is_sealed_opens_only_untouched_and_in_its_context(void **state)
{
	(void)state;
	unsigned char key[CRYPTO_KEY_SIZE] = { 1 }, other_key[CRYPTO_KEY_SIZE] = { 2 };
	unsigned char sealed[9 + CRYPTO_SEAL_OVERHEAD], again[sizeof sealed], plain[9];
	struct slice whole = slice_make(sealed, sizeof sealed);
	crypto_seal(key, SLICE("plaintext"), SLICE("user-1"), sealed);
	crypto_seal(key, SLICE("plaintext"), SLICE("user-1"), again);
	assert_memory_not_equal(sealed, again, sizeof sealed);
	assert_true(crypto_open(key, whole, SLICE("user-1"), plain));
	assert_memory_equal(plain, "plaintext", 9);
	assert_false(crypto_open(key, whole, SLICE("user-2"), plain));
	assert_memory_equal(plain, "\0\0\0\0\0\0\0\0", 9);
	assert_false(crypto_open(other_key, whole, SLICE("user-1"), plain));
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 1;
		assert_false(crypto_open(key, whole, SLICE("user-1"), plain));
		sealed[i] ^= 1;
		assert_false(crypto_open(key, slice_make(sealed, i), SLICE("user-1"), plain));
	}
	crypto_seal(key, SLICE_EMPTY, SLICE_EMPTY, sealed);
	assert_true(crypto_open(key, slice_make(sealed, CRYPTO_SEAL_OVERHEAD), SLICE_EMPTY, plain));
}

static const enum signature_algorithm algorithms[] = { SIGNATURE_ED25519, SIGNATURE_ES256 };

static struct verify_key *public_half(const struct signing_key *key)
{
	unsigned char bytes[PUBLIC_KEY_MAX];
	size_t size = signing_key_public(key, bytes);
	return verify_key_from_public(signing_key_algorithm(key), slice_make(bytes, size));
}

static void signatures_verify_with_their_own_key_and_message_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signing_key *key = signing_key_generate(algorithms[i]),
		                   *other = signing_key_generate(algorithms[i]);
		struct verify_key *verify = public_half(key), *other_verify = public_half(other);
		unsigned char bytes[SIGNATURE_SIZE + 1] = { 0 };
		struct slice signature = slice_make(bytes, SIGNATURE_SIZE);
		assert_int_equal(signing_key_algorithm(key), algorithms[i]);
		assert_int_equal(verify_key_algorithm(verify), algorithms[i]);
		/* Many rounds, so that an r or s with leading zeros occurs. */
		for (int round = 0; round < 300; round++) {
			struct slice message = slice_make(&round, sizeof round);
			assert_status(signing_key_sign(key, message, bytes), STATUS_OK);
			assert_true(verify_key_check(verify, message, signature));
		}
		assert_false(verify_key_check(verify, SLICE("other message"), signature));
		int last = 299;
		assert_false(verify_key_check(other_verify, slice_make(&last, sizeof last), signature));
		assert_false(verify_key_check(
		        verify, slice_make(&last, sizeof last), slice_make(bytes, SIGNATURE_SIZE + 1)));
		assert_false(verify_key_check(
		        verify, slice_make(&last, sizeof last), slice_make(bytes, SIGNATURE_SIZE - 1)));
		signing_key_free(key);
		signing_key_free(other);
		verify_key_free(verify);
		verify_key_free(other_verify);
	}
	signing_key_free(NULL);
	verify_key_free(NULL);
}

static void keys_survive_the_way_through_pem(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signing_key *key = signing_key_generate(algorithms[i]);
		struct slice pem = signing_key_to_pem(key, &arena);
		assert_true(slice_starts_with(pem, SLICE("-----BEGIN PRIVATE KEY-----\n")));
		struct signing_key *again = signing_key_from_pem(pem);
		unsigned char before[PUBLIC_KEY_MAX], after[PUBLIC_KEY_MAX];
		assert_non_null(again);
		assert_int_equal(signing_key_algorithm(again), algorithms[i]);
		size_t size = signing_key_public(key, before);
		assert_int_equal(size, algorithms[i] == SIGNATURE_ED25519 ? 32 : 64);
		assert_int_equal(signing_key_public(again, after), size);
		assert_memory_equal(before, after, size);
		assert_null(signing_key_from_pem((struct slice) { pem.data, pem.size / 2 }));
		signing_key_free(key);
		signing_key_free(again);
	}
}

/* An X25519 key is well-formed PKCS#8 of an algorithm that does not sign; P-384 signs, but not with ES256. */
static void other_private_keys_are_refused(void **state)
{
	(void)state;
	static const char *pems[] = {
		"",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VuBCIEIMjuW3sbaVXZL7t059KgXVoAH4J3rGxpRsUO7y/uoklP\n"
		"-----END PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\n"
		"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBPvmNh0/p/GArk4wtj\n"
		"4MTd/QnwPVSXL71AP9t2JrZ6+FkX3QestPX+a/BPHhfRmjChZANiAAQZtHavr8gQ\n"
		"VMtCDJrBq50PJCVbDzqfw/NEoHj1WvPW3CgyGz+P/2UqXGUjTEW1LRBLyw7yQg1j\n"
		"YK+r/bo+GEUv50Rh8BJvh9QEw1YvOSkVDDKupGDP68wq7OHs76YWiu8=\n"
		"-----END PRIVATE KEY-----\n",
	};
	for (size_t i = 0; i < sizeof pems / sizeof *pems; i++)
		assert_null(signing_key_from_pem(slice_from(pems[i])));
}

static void public_keys_must_be_sound_points(void **state)
{
	(void)state;
	static const struct {
		enum signature_algorithm algorithm;
		const char *hex;
		bool is_sound;
	} rows[] = {
		/* RFC 8032 section 7.1 test 1; RFC 7515 A.3 */
		{ SIGNATURE_ED25519, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", true },
		{ SIGNATURE_ES256,
		        "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"
		        "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
		        true },
		/* off the curve by one bit; the wrong size */
		{ SIGNATURE_ES256,
		        "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"
		        "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ac",
		        false },
		{ SIGNATURE_ES256, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", false },
		{ SIGNATURE_ED25519, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", false },
		{ SIGNATURE_ED25519, "", false },
		{ SIGNATURE_ED25519, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00", false },
		{ SIGNATURE_ES256,
		        "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"
		        "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad00",
		        false },
		/* no square root: y = 2 */
		{ SIGNATURE_ED25519, "0200000000000000000000000000000000000000000000000000000000000000", false },
		/* small order: y = 1, 0, p - 1, both of order 8, with and without the sign bit */
		{ SIGNATURE_ED25519, "0100000000000000000000000000000000000000000000000000000000000000", false },
		{ SIGNATURE_ED25519, "0000000000000000000000000000000000000000000000000000000000000000", false },
		{ SIGNATURE_ED25519, "0000000000000000000000000000000000000000000000000000000000000080", false },
		{ SIGNATURE_ED25519, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false },
		{ SIGNATURE_ED25519, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", false },
		{ SIGNATURE_ED25519, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", false },
		{ SIGNATURE_ED25519, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", false },
		{ SIGNATURE_ED25519, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", false },
		/* not reduced: p + 3, where y = 3 is on the curve */
		{ SIGNATURE_ED25519, "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false },
		{ SIGNATURE_ED25519, "0300000000000000000000000000000000000000000000000000000000000000", true },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct verify_key *key = verify_key_from_public(rows[i].algorithm, from_hex(rows[i].hex));
		if ((key != NULL) != rows[i].is_sound)
			fail_msg("%s", rows[i].hex);
		verify_key_free(key);
	}
}

struct shared {
	struct signing_key *sign;
	struct verify_key *verify;
};

static void *use_keys(void *arg)
{
	const struct shared *shared = arg;
	for (int i = 0; i < 50; i++) {
		unsigned char bytes[SIGNATURE_SIZE];
		struct sha256 digest = sha256(slice_make(&i, sizeof i));
		struct slice message = slice_make(digest.bytes, sizeof digest.bytes);
		if (signing_key_sign(shared->sign, message, bytes) != STATUS_OK ||
		        !verify_key_check(shared->verify, message, slice_make(bytes, sizeof bytes)))
			return arg;
	}
	return NULL;
}

static void keys_serve_many_threads(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct signing_key *key = signing_key_generate(algorithms[i]);
		struct shared shared = { key, public_half(key) };
		pthread_t threads[4];
		for (int t = 0; t < 4; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, use_keys, &shared), 0);
		for (int t = 0; t < 4; t++) {
			void *failed;
			assert_int_equal(pthread_join(threads[t], &failed), 0);
			assert_null(failed);
		}
		signing_key_free(shared.sign);
		verify_key_free(shared.verify);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, clean_up)
TESTS(TEST(sha256_knows_the_standard_answers), TEST(hmac_knows_the_standard_answers),
        TEST(derived_identifiers_keep_their_parts_apart), TEST(equal_compares_size_and_content),
        TEST(what_is_sealed_opens_only_untouched_and_in_its_context),
        TEST(signatures_verify_with_their_own_key_and_message_only), TEST(keys_survive_the_way_through_pem),
        TEST(other_private_keys_are_refused), TEST(public_keys_must_be_sound_points), TEST(keys_serve_many_threads))
