#include "platform/webhook_signature.h"

#include "base/encoding.h"
#include "base/random.h"
#include "platform/crypto.h"

#define SECRET_PREFIX SLICE("whsec_")

bool webhook_secret_parse(struct slice text, struct webhook_secret *ret_secret)
{
	struct webhook_secret secret = { .size = 0 };
	if (slice_starts_with(text, SECRET_PREFIX))
		text = slice_skip(text, SECRET_PREFIX.size);
	if (!base64_decode(text, secret.key, sizeof secret.key, &secret.size) || !secret.size)
		return false;
	*ret_secret = secret;
	return true;
}

void write_new_webhook_secret(struct writer *writer)
{
	unsigned char key[WEBHOOK_SECRET_SIZE];
	random_bytes(key, sizeof key);
	write_slice(writer, SECRET_PREFIX);
	write_base64(writer, key, sizeof key);
	crypto_wipe(key, sizeof key);
}

static struct sha256 mac(
        const struct webhook_secret *secret, struct slice id, struct slice timestamp, struct slice body)
{
	struct arena arena = { 0 };
	struct writer content = writer_growing(&arena);
	write_slice(&content, id);
	write_char(&content, '.');
	write_slice(&content, timestamp);
	write_char(&content, '.');
	write_slice(&content, body);
	struct sha256 digest = hmac_sha256(slice_make(secret->key, secret->size), writer_slice(&content));
	arena_clean_up(&arena);
	return digest;
}

void write_webhook_signature(struct writer *writer, const struct webhook_secret *secret, struct slice id,
        int64_t timestamp, struct slice body)
{
	char digits[24];
	struct writer out = writer_fixed(digits, sizeof digits);
	write_i64(&out, timestamp);
	struct sha256 digest = mac(secret, id, writer_slice(&out), body);
	write_text(writer, "v1,");
	write_base64(writer, digest.bytes, sizeof digest.bytes);
}

static bool is_timely(struct slice timestamp, int64_t now)
{
	uint64_t seconds;
	int64_t distance;
	if (!slice_to_u64(timestamp, &seconds) || seconds > INT64_MAX)
		return false;
	if (__builtin_sub_overflow(now, (int64_t)seconds, &distance))
		return false;
	return distance >= -WEBHOOK_TOLERANCE_SECONDS && distance <= WEBHOOK_TOLERANCE_SECONDS;
}

/* One of the header's signatures against ours, compared as bytes and in constant time. */
static bool signature_matches(struct slice signature, const struct sha256 *expected)
{
	struct sha256 given;
	size_t size;
	if (!slice_starts_with(signature, SLICE("v1,")) ||
	        !base64_decode(slice_skip(signature, 3), given.bytes, sizeof given.bytes, &size) ||
	        size != sizeof given.bytes)
		return false;
	return crypto_equal(slice_make(given.bytes, size), slice_make(expected->bytes, size));
}

enum status webhook_verify(const struct webhook_secret *secret, const struct webhook_message *message, int64_t now)
{
	/* A dot in the id would let the border between id and timestamp move. */
	if (!message->id.size || memchr(message->id.data, '.', message->id.size) || !is_timely(message->timestamp, now))
		return ERR_SIGNATURE_INVALID;
	struct sha256 expected = mac(secret, message->id, message->timestamp, message->body);
	struct slice rest = message->signatures, signature;
	bool matches = false;
	for (int i = 0; i < WEBHOOK_SIGNATURES_MAX && slice_split(&rest, ' ', &signature); i++)
		matches |= signature_matches(signature, &expected);
	return matches ? STATUS_OK : ERR_SIGNATURE_INVALID;
}
