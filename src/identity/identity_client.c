#include "identity/identity_client.h"

#include "base/clock.h"
#include "identity/identity_wire.h"
#include "platform/crypto.h"
#include "platform/memo.h"

enum { TOKENS_KNOWN_MAX = 8192, BELIEF_MICROSECONDS = 1000 * 1000 };

struct identity_client {
	struct neighbour *neighbour;
	struct memo *tokens; /* SHA-256 of the token -> struct principal */
};

struct identity_client *identity_client_new(struct neighbour *neighbour)
{
	struct identity_client *client = NEW(struct identity_client);
	client->neighbour = neighbour;
	client->tokens = memo_new(TOKENS_KNOWN_MAX, TOKENS_KNOWN_MAX * sizeof(struct principal));
	return client;
}

void identity_client_free(struct identity_client *client)
{
	if (!client)
		return;
	memo_free(client->tokens);
	memory_free(client);
}

static enum status ask_principal(
        struct identity_client *client, struct slice token, int64_t now, struct principal *ret_principal)
{
	struct arena arena = { 0 };
	struct writer body = writer_growing(&arena);
	const struct json *answer;
	write_token_question(&body, token, now);
	enum status status = neighbour_post(
	        client->neighbour, "/internal/v1/identity/authenticate", writer_slice(&body), &arena, &answer, NULL);
	if (status == STATUS_OK && read_principal(answer, &arena, ret_principal, NULL) != STATUS_OK)
		status = ERR_NEIGHBOUR_UNAVAILABLE;
	arena_clean_up(&arena);
	return status;
}

static enum status client_authenticate(void *self, struct slice token, int64_t now, struct principal *ret_principal)
{
	struct identity_client *client = self;
	struct sha256 digest = sha256(token);
	struct memo_key key;
	struct principal principal;
	size_t size;
	int64_t asked_at = clock_monotonic();
	memcpy(key.bytes, digest.bytes, sizeof key.bytes);
	if (memo_get(client->tokens, &key, asked_at, &principal, sizeof principal, &size) &&
	        now < principal.expires_at) {
		*ret_principal = principal;
		return STATUS_OK;
	}
	uint64_t ticket = memo_ticket(client->tokens, &key);
	TRY(ask_principal(client, token, now, &principal));
	memo_put(
	        client->tokens, &key, ticket, slice_make(&principal, sizeof principal), asked_at + BELIEF_MICROSECONDS);
	*ret_principal = principal;
	return STATUS_OK;
}

static enum status client_consent_check(
        void *self, const struct consent_question *question, struct consent_verdict *ret_verdict)
{
	struct identity_client *client = self;
	struct arena arena = { 0 };
	struct writer body = writer_growing(&arena);
	const struct json *answer;
	write_consent_question(&body, question);
	enum status status = neighbour_post(
	        client->neighbour, "/internal/v1/identity/consent_check", writer_slice(&body), &arena, &answer, NULL);
	if (status == STATUS_OK && read_consent_verdict(answer, &arena, ret_verdict, NULL) != STATUS_OK)
		status = ERR_NEIGHBOUR_UNAVAILABLE;
	arena_clean_up(&arena);
	return status;
}

struct identity_api identity_client_api(struct identity_client *client)
{
	return (struct identity_api) {
		.self = client,
		.authenticate = client_authenticate,
		.consent_check = client_consent_check,
	};
}
