/* Access tokens. A verified one is remembered by its digest until it expires; whether its session or agent still may
 * act is remembered apart, for a second, so that revocation reaches every process soon and this one at once. */
#include "identity/identity_core.h"

#include "base/clock.h"

static const char TOKEN_TYPE[] = "at+jwt";
static const char TOKEN_AUDIENCE[] = "agentpay";

static const struct {
	enum role role;
	const char *name;
} role_names[] = { { ROLE_AGENT, "agent" }, { ROLE_ADMIN, "admin" }, { ROLE_AUDITOR, "auditor" } };

void write_roles(struct json_writer *json, unsigned roles)
{
	json_array_open(json);
	for (size_t i = 0; i < sizeof role_names / sizeof *role_names; i++)
		if (roles & role_names[i].role)
			json_text(json, slice_from(role_names[i].name));
	json_array_close(json);
}

bool role_parse(struct slice name, unsigned *ret_role)
{
	for (size_t i = 0; i < sizeof role_names / sizeof *role_names; i++)
		if (slice_is(name, role_names[i].name)) {
			*ret_role = role_names[i].role;
			return true;
		}
	return false;
}

static const char *principal_prefix(const struct principal *principal)
{
	return principal_is_agent(principal) ? ID_PREFIX_agent : ID_PREFIX_user;
}

/* Claims of RFC 9068, and `sid` or `owner` for what stands behind the subject. */
static void write_claims(
        struct writer *out, const struct identity_service *service, const struct principal *principal, int64_t now)
{
	struct json_writer json = { .out = out };
	json_object_open(&json);
	json_key_text(&json, "iss", service->issuer);
	json_key_id(&json, "sub", principal_prefix(principal), principal->id);
	json_key_text(&json, "aud", slice_from(TOKEN_AUDIENCE));
	json_key_i64(&json, "iat", now / MICROSECONDS_PER_SECOND);
	json_key_i64(&json, "exp", principal->expires_at / MICROSECONDS_PER_SECOND);
	json_key_id(&json, "jti", "tok", uuid_new());
	json_key(&json, "roles");
	write_roles(&json, principal->roles);
	if (principal_is_agent(principal)) {
		json_key_id(&json, "client_id", ID_PREFIX_agent, principal->id);
		json_key_id(&json, "owner", ID_PREFIX_user, principal->owner.uuid);
		json_key_text(&json, "scope", SLICE("payments"));
	} else {
		json_key_text(&json, "client_id", slice_from(TOKEN_AUDIENCE));
		json_key_id(&json, "sid", ID_PREFIX_session, principal->session.uuid);
	}
	json_object_close(&json);
}

enum status identity_token_issue(struct identity_service *service, const struct principal *principal, int64_t now,
        struct arena *arena, struct slice *ret_token)
{
	struct principal subject = *principal;
	struct writer claims = writer_growing(arena);
	subject.expires_at = now + service->access_token_seconds * MICROSECONDS_PER_SECOND;
	write_claims(&claims, service, &subject, now);
	return jwt_sign(service->keys.signing, slice_from(service->keys.jwk.kid), TOKEN_TYPE, writer_slice(&claims),
	        arena, ret_token);
}

static bool read_roles(const struct json *json, unsigned *ret_roles)
{
	unsigned roles = 0, role;
	if (!json || json->type != JSON_ARRAY)
		return false;
	for (const struct json *item = json->first; item; item = item->next) {
		if (item->type != JSON_STRING || !role_parse(item->text, &role))
			return false;
		roles |= role;
	}
	*ret_roles = roles;
	return true;
}

static bool read_id(const struct json *claims, const char *name, const char *prefix, struct uuid *ret_uuid)
{
	const struct json *member = json_member(claims, name);
	return member && member->type == JSON_STRING && id_parse(member->text, prefix, ret_uuid);
}

/* Of whom a verified token speaks; a kind has exactly its own roles. */
static enum status principal_from_claims(const struct jwt_claims *claims, struct principal *ret_principal)
{
	struct principal principal = { .expires_at = claims->expires_at };
	if (!read_roles(claims->roles, &principal.roles))
		return ERR_INVALID_TOKEN;
	if (id_parse(claims->subject, ID_PREFIX_agent, &principal.id)) {
		principal.kind = PRINCIPAL_AGENT;
		if (principal.roles != ROLE_AGENT ||
		        !read_id(claims->json, "owner", ID_PREFIX_user, &principal.owner.uuid))
			return ERR_INVALID_TOKEN;
	} else if (id_parse(claims->subject, ID_PREFIX_user, &principal.id)) {
		principal.kind = PRINCIPAL_USER;
		if (principal.roles & ROLE_AGENT ||
		        !read_id(claims->json, "sid", ID_PREFIX_session, &principal.session.uuid))
			return ERR_INVALID_TOKEN;
	} else {
		return ERR_INVALID_TOKEN;
	}
	*ret_principal = principal;
	return STATUS_OK;
}

static enum status token_verify(
        struct identity_service *service, struct slice token, int64_t now, struct principal *ret_principal)
{
	struct arena arena = { 0 };
	struct jwt_claims claims;
	const struct jwt_expected expected = {
		.typ = TOKEN_TYPE,
		.issuer = service->issuer,
		.audience = slice_from(TOKEN_AUDIENCE),
		.now = now,
	};
	enum status status = jwt_verify(token, &service->keys.jwk, 1, &expected, &arena, &claims);
	if (status == STATUS_OK)
		status = principal_from_claims(&claims, ret_principal);
	arena_clean_up(&arena);
	return status;
}

static struct memo_key standing_key(struct uuid session_or_agent)
{
	struct memo_key key = { { 0 } };
	memcpy(key.bytes, session_or_agent.bytes, sizeof session_or_agent.bytes);
	return key;
}

void identity_standing_forget(struct identity_service *service, struct uuid session_or_agent)
{
	struct memo_key key = standing_key(session_or_agent);
	memo_forget(service->standings, &key);
}

static enum status session_standing_load(
        struct identity_service *service, struct session_id id, enum standing *ret_standing)
{
	struct session session;
	enum status status = IDENTITY_READ(service, session_by_id(sql, id, &session));
	if (status == ERR_NOT_FOUND)
		*ret_standing = STANDING_GONE;
	else if (status != STATUS_OK)
		return status;
	else
		*ret_standing = session.revoked_at || !session.user_is_active ? STANDING_GONE : STANDING_GOOD;
	return STATUS_OK;
}

static enum status agent_standing_load(
        struct identity_service *service, struct agent_id id, enum standing *ret_standing)
{
	struct arena arena = { 0 };
	struct agent agent;
	enum status status = IDENTITY_READ(service, agent_by_id(sql, id, &arena, &agent));
	if (status == ERR_NOT_FOUND)
		*ret_standing = STANDING_GONE;
	else if (status == STATUS_OK)
		*ret_standing = slice_is(agent.status, "active") ? STANDING_GOOD : STANDING_SUSPENDED;
	arena_clean_up(&arena);
	return status == ERR_NOT_FOUND ? STATUS_OK : status;
}

static enum status standing_get(
        struct identity_service *service, enum principal_kind kind, struct uuid id, enum standing *ret_standing)
{
	struct memo_key key = standing_key(id);
	int64_t now = clock_monotonic();
	size_t size;
	if (memo_get(service->standings, &key, now, ret_standing, sizeof *ret_standing, &size))
		return STATUS_OK;
	uint64_t ticket = memo_ticket(service->standings, &key);
	enum standing standing;
	if (kind == PRINCIPAL_AGENT)
		TRY(agent_standing_load(service, (struct agent_id) { id }, &standing));
	else
		TRY(session_standing_load(service, (struct session_id) { id }, &standing));
	memo_put(service->standings, &key, ticket, slice_make(&standing, sizeof standing),
	        now + IDENTITY_BELIEF_MICROSECONDS);
	*ret_standing = standing;
	return STATUS_OK;
}

enum status identity_agent_standing(struct identity_service *service, struct agent_id id, enum standing *ret_standing)
{
	return standing_get(service, PRINCIPAL_AGENT, id.uuid, ret_standing);
}

static enum status principal_from_token(
        struct identity_service *service, struct slice token, int64_t now, struct principal *ret_principal)
{
	struct sha256 digest = sha256(token);
	struct memo_key key;
	size_t size;
	memcpy(key.bytes, digest.bytes, sizeof key.bytes);
	if (memo_get(service->tokens, &key, now, ret_principal, sizeof *ret_principal, &size))
		return STATUS_OK;
	uint64_t ticket = memo_ticket(service->tokens, &key);
	TRY(token_verify(service, token, now, ret_principal));
	memo_put(service->tokens, &key, ticket, slice_make(ret_principal, sizeof *ret_principal),
	        ret_principal->expires_at);
	return STATUS_OK;
}

enum status identity_authenticate(void *self, struct slice token, int64_t now, struct principal *ret_principal)
{
	struct identity_service *service = self;
	struct principal principal = { 0 };
	enum standing standing;
	if (slice_is_empty(token) || token.size > JWT_SIZE_MAX)
		return ERR_INVALID_TOKEN;
	TRY(principal_from_token(service, token, now, &principal));
	TRY(standing_get(service, principal.kind,
	        principal_is_agent(&principal) ? principal.id : principal.session.uuid, &standing));
	if (standing == STANDING_GONE)
		return ERR_INVALID_TOKEN;
	if (standing == STANDING_SUSPENDED)
		return ERR_AGENT_SUSPENDED;
	*ret_principal = principal;
	return STATUS_OK;
}
