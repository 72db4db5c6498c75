#include "platform/crypto.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/arena.h"
#include "base/random.h"

enum { NONCE_SIZE = 12, TAG_SIZE = 16, COORDINATE_SIZE = 32, DER_SIGNATURE_MAX = 72, KEY_PEM_MAX = 4096 };

struct signing_key {
	enum signature_algorithm algorithm;
	EVP_PKEY *pkey;
};

struct verify_key {
	enum signature_algorithm algorithm;
	EVP_PKEY *pkey;
};

/* Looking an algorithm up by name costs more than hashing a short message, so that is done once. */
static struct {
	EVP_MD *sha256;
	EVP_CIPHER *aes_256_gcm;
	EVP_MAC_CTX *hmac_sha256; /* a template: copied, never used itself */
} fetched;

static void fetch_algorithms(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM digest_param[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end() };
	fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	fetched.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	assert(fetched.sha256 && fetched.aes_256_gcm && hmac);
	fetched.hmac_sha256 = EVP_MAC_CTX_new(hmac);
	int is_set = EVP_MAC_CTX_set_params(fetched.hmac_sha256, digest_param);
	assert(is_set == 1);
	EVP_MAC_free(hmac);
}

static void need_algorithms(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, fetch_algorithms);
}

/* For calls that fail only when memory is out or the library is broken: no answer would be safe then. */
static void must(int succeeded)
{
	assert(succeeded == 1);
}

struct sha256 sha256(struct slice data)
{
	struct sha256 digest;
	need_algorithms();
	must(EVP_Digest(data.data, data.size, digest.bytes, NULL, fetched.sha256, NULL));
	return digest;
}

static struct sha256 digest_parts(const struct slice *parts, size_t count, bool with_sizes)
{
	struct sha256 digest;
	need_algorithms();
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	must(EVP_DigestInit_ex2(context, fetched.sha256, NULL));
	for (size_t i = 0; i < count; i++) {
		uint64_t size = __builtin_bswap64(parts[i].size);
		if (with_sizes)
			must(EVP_DigestUpdate(context, &size, sizeof size));
		must(EVP_DigestUpdate(context, parts[i].data, parts[i].size));
	}
	must(EVP_DigestFinal_ex(context, digest.bytes, NULL));
	EVP_MD_CTX_free(context);
	return digest;
}

struct sha256 sha256_parts(const struct slice *parts, size_t count)
{
	return digest_parts(parts, count, false);
}

struct uuid uuid_derive(const struct slice *parts, size_t count)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "sizes are swapped to big-endian");
	return uuid_from_digest(digest_parts(parts, count, true).bytes);
}

struct sha256 hmac_sha256(struct slice key, struct slice data)
{
	struct sha256 mac;
	size_t size;
	need_algorithms();
	EVP_MAC_CTX *context = EVP_MAC_CTX_dup(fetched.hmac_sha256);
	/* To the library a NULL key is none at all, which is not the same as an empty one. */
	const void *bytes = key.size ? key.data : "";
	must(EVP_MAC_init(context, bytes, key.size, NULL));
	must(EVP_MAC_update(context, (const unsigned char *)data.data, data.size));
	must(EVP_MAC_final(context, mac.bytes, &size, sizeof mac.bytes));
	EVP_MAC_CTX_free(context);
	return mac;
}

bool crypto_equal(struct slice a, struct slice b)
{
	return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

void crypto_wipe(void *memory, size_t size)
{
	OPENSSL_cleanse(memory, size);
}

/* --- Authenticated encryption -------------------------------------------------------------------------------- */

/* A context with key, nonce and the authenticated context fed in. */
static EVP_CIPHER_CTX *cipher_start(
        const unsigned char *key, const unsigned char *nonce, struct slice context, bool seals)
{
	int size;
	need_algorithms();
	assert(context.size <= INT_MAX);
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	must(EVP_CipherInit_ex2(cipher, fetched.aes_256_gcm, key, nonce, seals, NULL));
	must(EVP_CipherUpdate(cipher, NULL, &size, (const unsigned char *)context.data, (int)context.size));
	return cipher;
}

void crypto_seal(const unsigned char key[CRYPTO_KEY_SIZE], struct slice plain, struct slice seal_context,
        unsigned char *ret_sealed)
{
	unsigned char *cipher_text = ret_sealed + NONCE_SIZE;
	int size;
	assert(plain.size <= INT_MAX - CRYPTO_SEAL_OVERHEAD);
	random_bytes(ret_sealed, NONCE_SIZE);
	EVP_CIPHER_CTX *cipher = cipher_start(key, ret_sealed, seal_context, true);
	must(EVP_CipherUpdate(cipher, cipher_text, &size, (const unsigned char *)plain.data, (int)plain.size));
	must(EVP_CipherFinal_ex(cipher, cipher_text + plain.size, &size));
	must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, cipher_text + plain.size));
	EVP_CIPHER_CTX_free(cipher);
}

bool crypto_open(const unsigned char key[CRYPTO_KEY_SIZE], struct slice sealed, struct slice seal_context,
        unsigned char *ret_plain)
{
	unsigned char tag[TAG_SIZE];
	int size;
	if (sealed.size < CRYPTO_SEAL_OVERHEAD || sealed.size > INT_MAX)
		return false;
	size_t plain_size = sealed.size - CRYPTO_SEAL_OVERHEAD;
	const unsigned char *nonce = (const unsigned char *)sealed.data, *cipher_text = nonce + NONCE_SIZE;
	memcpy(tag, cipher_text + plain_size, TAG_SIZE);
	EVP_CIPHER_CTX *cipher = cipher_start(key, nonce, seal_context, false);
	must(EVP_CipherUpdate(cipher, ret_plain, &size, cipher_text, (int)plain_size));
	must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag));
	bool is_authentic = EVP_CipherFinal_ex(cipher, ret_plain + plain_size, &size) == 1;
	EVP_CIPHER_CTX_free(cipher);
	if (!is_authentic)
		crypto_wipe(ret_plain, plain_size);
	return is_authentic;
}

/* --- Signature keys ------------------------------------------------------------------------------------------ */

static bool find_algorithm(EVP_PKEY *pkey, enum signature_algorithm *ret_algorithm)
{
	char group[32];
	size_t size;
	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		*ret_algorithm = SIGNATURE_ED25519;
		return true;
	}
	if (EVP_PKEY_is_a(pkey, "EC") && EVP_PKEY_get_group_name(pkey, group, sizeof group, &size) == 1 &&
	        strcmp(group, SN_X9_62_prime256v1) == 0) {
		*ret_algorithm = SIGNATURE_ES256;
		return true;
	}
	return false;
}

static struct signing_key *signing_key_wrap(enum signature_algorithm algorithm, EVP_PKEY *pkey)
{
	struct signing_key *key = NEW(struct signing_key);
	*key = (struct signing_key) { algorithm, pkey };
	return key;
}

struct signing_key *signing_key_generate(enum signature_algorithm algorithm)
{
	EVP_PKEY *pkey = algorithm == SIGNATURE_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
	                                                : EVP_PKEY_Q_keygen(NULL, NULL, "EC", SN_X9_62_prime256v1);
	assert(pkey);
	return signing_key_wrap(algorithm, pkey);
}

struct signing_key *signing_key_from_pem(struct slice pem)
{
	enum signature_algorithm algorithm;
	if (pem.size > KEY_PEM_MAX)
		return NULL;
	BIO *input = BIO_new_mem_buf(pem.data, (int)pem.size);
	PKCS8_PRIV_KEY_INFO *info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(input, NULL, NULL, NULL);
	EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;
	PKCS8_PRIV_KEY_INFO_free(info);
	BIO_free(input);
	ERR_clear_error();
	if (pkey && find_algorithm(pkey, &algorithm))
		return signing_key_wrap(algorithm, pkey);
	EVP_PKEY_free(pkey);
	return NULL;
}

struct slice signing_key_to_pem(const struct signing_key *key, struct arena *arena)
{
	char *text;
	BIO *output = BIO_new(BIO_s_secmem());
	must(PEM_write_bio_PKCS8PrivateKey(output, key->pkey, NULL, NULL, 0, NULL, NULL));
	long size = BIO_get_mem_data(output, &text);
	struct slice pem = arena_copy(arena, (struct slice) { text, (size_t)size });
	BIO_free(output);
	return pem;
}

void signing_key_free(struct signing_key *key)
{
	if (key)
		EVP_PKEY_free(key->pkey);
	memory_free(key);
}

enum signature_algorithm signing_key_algorithm(const struct signing_key *key)
{
	return key->algorithm;
}

static const EVP_MD *message_digest(enum signature_algorithm algorithm)
{
	need_algorithms();
	return algorithm == SIGNATURE_ES256 ? fetched.sha256 : NULL;
}

/* ASN.1 SEQUENCE { r, s } to two fixed-size integers. */
static bool signature_from_der(const unsigned char *der, size_t size, unsigned char *ret_signature)
{
	ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &der, (long)size);
	bool fits = parts && BN_bn2binpad(ECDSA_SIG_get0_r(parts), ret_signature, COORDINATE_SIZE) > 0 &&
	            BN_bn2binpad(ECDSA_SIG_get0_s(parts), ret_signature + COORDINATE_SIZE, COORDINATE_SIZE) > 0;
	ECDSA_SIG_free(parts);
	return fits;
}

static size_t signature_to_der(const unsigned char *signature, unsigned char ret_der[DER_SIGNATURE_MAX])
{
	ECDSA_SIG *parts = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, COORDINATE_SIZE, NULL);
	BIGNUM *s = BN_bin2bn(signature + COORDINATE_SIZE, COORDINATE_SIZE, NULL);
	must(ECDSA_SIG_set0(parts, r, s));
	int size = i2d_ECDSA_SIG(parts, &ret_der);
	ECDSA_SIG_free(parts);
	assert(size > 0 && size <= DER_SIGNATURE_MAX);
	return (size_t)size;
}

enum status signing_key_sign(
        const struct signing_key *key, struct slice data, unsigned char ret_signature[SIGNATURE_SIZE])
{
	unsigned char made[DER_SIGNATURE_MAX];
	size_t size = sizeof made;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_made = EVP_DigestSignInit(context, NULL, message_digest(key->algorithm), NULL, key->pkey) == 1 &&
	               EVP_DigestSign(context, made, &size, (const unsigned char *)data.data, data.size) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!is_made)
		return ERR_INTERNAL;
	if (key->algorithm == SIGNATURE_ES256)
		return signature_from_der(made, size, ret_signature) ? STATUS_OK : ERR_INTERNAL;
	memcpy(ret_signature, made, SIGNATURE_SIZE);
	return STATUS_OK;
}

/* A coordinate of a P-256 public key as 32 bytes. */
static void coordinate_copy(EVP_PKEY *pkey, const char *name, unsigned char *ret_coordinate)
{
	BIGNUM *value = NULL;
	must(EVP_PKEY_get_bn_param(pkey, name, &value));
	must(BN_bn2binpad(value, ret_coordinate, COORDINATE_SIZE) == COORDINATE_SIZE);
	BN_free(value);
}

size_t signing_key_public(const struct signing_key *key, unsigned char ret_public[PUBLIC_KEY_MAX])
{
	size_t size = PUBLIC_KEY_MAX;
	if (key->algorithm == SIGNATURE_ED25519) {
		must(EVP_PKEY_get_raw_public_key(key->pkey, ret_public, &size));
		return size;
	}
	coordinate_copy(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, ret_public);
	coordinate_copy(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, ret_public + COORDINATE_SIZE);
	return COORDINATE_SIZE * 2;
}

/* y as an integer below p = 2^255 - 19, on the curve -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032 section 5.1.3), and not one
 * of the points of small order, for which signatures exist that fit any message. The library checks none of this. */
static bool edwards_point_is_sound(const unsigned char x[COORDINATE_SIZE])
{
	static const char p_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
	static const char d_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
	static const char order_8_hex[] = "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826";
	unsigned char y_bytes[COORDINATE_SIZE];
	BN_CTX *context = BN_CTX_new();
	BN_CTX_start(context);
	BIGNUM *p = BN_CTX_get(context), *d = BN_CTX_get(context), *order_8 = BN_CTX_get(context);
	BIGNUM *y = BN_CTX_get(context), *u = BN_CTX_get(context), *v = BN_CTX_get(context);
	memcpy(y_bytes, x, sizeof y_bytes);
	y_bytes[COORDINATE_SIZE - 1] &= 0x7f;
	must(BN_hex2bn(&p, p_hex) > 0 && BN_hex2bn(&d, d_hex) > 0 && BN_hex2bn(&order_8, order_8_hex) > 0);
	must(BN_lebin2bn(y_bytes, sizeof y_bytes, y) != NULL);
	bool is_reduced = BN_cmp(y, p) < 0;
	bool is_small_order = BN_is_zero(y) || BN_cmp(y, order_8) == 0;
	/* x^2 = (y^2 - 1) / (d y^2 + 1) has a root exactly when the product of both is a square; it is 0 for y = +-1.
	 */
	must(BN_mod_sqr(u, y, p, context) && BN_mod_mul(v, u, d, p, context) && BN_add_word(v, 1) &&
	        BN_sub(u, u, BN_value_one()));
	must(BN_mod_mul(u, u, v, p, context));
	bool is_on_curve = BN_kronecker(u, p, context) == 1;
	must(BN_mod_sub(y, p, y, p, context));
	is_small_order |= BN_cmp(y, order_8) == 0;
	BN_CTX_end(context);
	BN_CTX_free(context);
	return is_reduced && is_on_curve && !is_small_order;
}

static EVP_PKEY *p256_key_from_point(const unsigned char *coordinates)
{
	unsigned char point[1 + 2 * COORDINATE_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
	char group[] = SN_X9_62_prime256v1;
	EVP_PKEY *pkey = NULL;
	memcpy(point + 1, coordinates, 2 * COORDINATE_SIZE);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
		OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	must(EVP_PKEY_fromdata_init(context));
	if (EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	return pkey;
}

struct verify_key *verify_key_from_public(enum signature_algorithm algorithm, struct slice public_key)
{
	const unsigned char *bytes = (const unsigned char *)public_key.data;
	EVP_PKEY *pkey = NULL;
	if (algorithm == SIGNATURE_ES256 && public_key.size == COORDINATE_SIZE * 2)
		pkey = p256_key_from_point(bytes);
	if (algorithm == SIGNATURE_ED25519 && public_key.size == COORDINATE_SIZE && edwards_point_is_sound(bytes))
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, COORDINATE_SIZE);
	ERR_clear_error();
	if (!pkey)
		return NULL;
	struct verify_key *key = NEW(struct verify_key);
	*key = (struct verify_key) { algorithm, pkey };
	return key;
}

void verify_key_free(struct verify_key *key)
{
	if (key)
		EVP_PKEY_free(key->pkey);
	memory_free(key);
}

enum signature_algorithm verify_key_algorithm(const struct verify_key *key)
{
	return key->algorithm;
}

bool verify_key_check(const struct verify_key *key, struct slice data, struct slice signature)
{
	unsigned char der[DER_SIGNATURE_MAX];
	const unsigned char *bytes = (const unsigned char *)signature.data;
	size_t size = SIGNATURE_SIZE;
	if (signature.size != SIGNATURE_SIZE)
		return false;
	if (key->algorithm == SIGNATURE_ES256) {
		size = signature_to_der(bytes, der);
		bytes = der;
	}
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_valid = EVP_DigestVerifyInit(context, NULL, message_digest(key->algorithm), NULL, key->pkey) == 1 &&
	                EVP_DigestVerify(context, bytes, size, (const unsigned char *)data.data, data.size) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return is_valid;
}
