/* Signatures of Standard Webhooks 1.0.0: `v1,` + base64 of HMAC-SHA256 over "id.timestamp.body". The body's bytes are
 * signed as sent; a body that was parsed and written again does not verify. */
#pragma once

#include "base/slice.h"
#include "base/status.h"
#include "base/writer.h"

enum {
	WEBHOOK_SECRET_MAX = 64,
	WEBHOOK_TOLERANCE_SECONDS = 300,
	WEBHOOK_SIGNATURES_MAX = 16, /* further ones in a header are not looked at */
	WEBHOOK_SECRET_SIZE = 32,    /* of the secrets that we make */
};

struct webhook_secret {
	unsigned char key[WEBHOOK_SECRET_MAX];
	size_t size;
};

/* "whsec_" (may be absent) and base64 of 1 to WEBHOOK_SECRET_MAX bytes; false when it is none. Strict: unpadded base64,
 * which one of the public libraries accepts, is refused. */
bool webhook_secret_parse(struct slice text, struct webhook_secret *ret_secret);
/* A new random secret, written as "whsec_" and base64. */
void write_new_webhook_secret(struct writer *writer);

/* Writes "v1,<base64>". `timestamp` in seconds since 1970. Several signatures stand in one header with a blank between.
 */
void write_webhook_signature(struct writer *writer, const struct webhook_secret *secret, struct slice id,
        int64_t timestamp, struct slice body);

/* What came in: the headers webhook-id, webhook-timestamp, webhook-signature, and the body. */
struct webhook_message {
	struct slice id;
	struct slice timestamp;
	struct slice signatures;
	struct slice body;
};

/* ERR_SIGNATURE_INVALID unless one of the message's v1 signatures is by this secret and its timestamp lies within
 * WEBHOOK_TOLERANCE_SECONDS of `now` (seconds since 1970). Signatures of unknown versions are skipped. */
enum status webhook_verify(const struct webhook_secret *secret, const struct webhook_message *message, int64_t now);
