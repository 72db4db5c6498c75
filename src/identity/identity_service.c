#include "identity/identity_core.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/random.h"
#include "identity/identity_store_sql.h"

enum {
	TOKENS_KNOWN_MAX = 65536,
	STANDINGS_KNOWN_MAX = 65536,
	CONSENTS_KNOWN_MAX = 16384,
	CONSENTS_BYTES_MAX = 32 * 1024 * 1024,
};

const struct sql_migrations identity_migrations = { identity_migration_rows, IDENTITY_MIGRATION_COUNT };

enum status identity_service_start(
        const struct identity_options *options, struct identity_service **ret_service, struct problem *problem)
{
	struct identity_keys keys = { 0 };
	TRY(identity_keys_open(options->key_folder, &keys, problem));

	struct identity_service *service = NEW(struct identity_service);
	char *issuer = memory_new(options->issuer.size + 1, 1);
	memcpy(issuer, options->issuer.data, options->issuer.size);
	*service = (struct identity_service) {
		.committer = options->engines->committer,
		.readers = options->engines->readers,
		.issuer = { issuer, options->issuer.size },
		.access_token_seconds = options->access_token_seconds ? options->access_token_seconds : 900,
		.refresh_token_seconds = options->refresh_token_seconds ? options->refresh_token_seconds : 2592000,
		.keys = keys,
		.tokens = memo_new(TOKENS_KNOWN_MAX, TOKENS_KNOWN_MAX * sizeof(struct principal)),
		.standings = memo_new(STANDINGS_KNOWN_MAX, STANDINGS_KNOWN_MAX * sizeof(enum standing)),
		.consents = memo_new(CONSENTS_KNOWN_MAX, CONSENTS_BYTES_MAX),
	};
	*ret_service = service;
	return STATUS_OK;
}

void identity_service_stop(struct identity_service *service)
{
	if (!service)
		return;
	memo_free(service->tokens);
	memo_free(service->standings);
	memo_free(service->consents);
	identity_keys_close(&service->keys);
	memory_free((void *)(uintptr_t)service->issuer.data);
	memory_free(service);
}

struct identity_api identity_service_api(struct identity_service *service)
{
	return (struct identity_api) {
		.self = service,
		.authenticate = identity_authenticate,
		.consent_check = identity_consent_check,
	};
}

struct slice identity_issuer(const struct identity_service *service)
{
	return service->issuer;
}

void identity_write_jwks(struct identity_service *service, struct writer *out)
{
	write_jwks(out, &service->keys.jwk, 1);
}

struct slice identity_secret_new(const char *prefix, struct arena *arena)
{
	unsigned char secret[32];
	struct writer out = writer_growing(arena);
	random_bytes(secret, sizeof secret);
	write_text(&out, prefix);
	write_base64url(&out, secret, sizeof secret);
	crypto_wipe(secret, sizeof secret);
	return writer_slice(&out);
}

enum status identity_email_check(
        const struct identity_keys *keys, struct slice email, struct sha256 *ret_hash, struct problem *problem)
{
	char lower[EMAIL_MAX];
	size_t at_signs = 0;
	bool plain = email.size >= 3 && email.size <= EMAIL_MAX;
	for (size_t i = 0; plain && i < email.size; i++) {
		char c = email.data[i];
		plain = c > ' ' && c != 0x7f;
		at_signs += c == '@';
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	if (!plain || at_signs != 1 || email.data[0] == '@' || email.data[email.size - 1] == '@')
		return problem_set(problem, ERR_INVALID_FIELD, "email",
		        "An e-mail address is name@host, at most %d bytes.", EMAIL_MAX);
	*ret_hash = identity_keys_hash(keys, "email", slice_make(lower, email.size));
	return STATUS_OK;
}
