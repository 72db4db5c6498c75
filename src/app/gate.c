#include "app/gate.h"

#include "base/clock.h"
#include "platform/crypto.h"
#include "platform/metrics.h"
#include "platform/neighbour.h"
#include "platform/outbox.h"
#include "platform/rate_limit.h"

enum { USER_AGENT_SIZE_MAX = 256, ACTOR_NAME_MAX = 64 };

struct gate {
	const struct identity_api *identity;
	struct idempotency *idempotency;
	struct slice service_key;
	struct rate_limit *rate_limit; /* NULL: none */
	struct arena arena;            /* of the service key */
};

/* One passage; what the request points to while its handler runs. */
struct passage {
	struct gate *gate;
	const struct http_routes *routes;
	struct http_request *request;
	struct http_response *response;
	struct principal principal;
	struct actor actor;
	bool from_neighbour;
};

struct gate *gate_new(const struct gate_options *options)
{
	struct gate *gate = NEW(struct gate);
	gate->identity = options->identity;
	gate->idempotency = options->idempotency;
	gate->service_key = arena_copy(&gate->arena, options->service_key);
	if (options->rate_limit > 0)
		gate->rate_limit = rate_limit_new(&(struct rate_limit_options) {
		        .limit = options->rate_limit, .period_us = MICROSECONDS_PER_SECOND });
	return gate;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	rate_limit_free(gate->rate_limit);
	arena_clean_up(&gate->arena);
	memory_free(gate);
}

/* Our own processes prove themselves with the service key; only then their word about the client counts. */
static void recognise_neighbour(struct passage *passage)
{
	struct http_request *request = passage->request;
	struct slice key = http_request_header(request, NEIGHBOUR_KEY);
	if (!key.size || !passage->gate->service_key.size || !crypto_equal(key, passage->gate->service_key))
		return;
	struct slice address = http_request_header(request, NEIGHBOUR_ADDRESS);
	passage->from_neighbour = true;
	if (address.size)
		request->remote_address = address;
}

/* A header may hold any byte. What goes into events and the trail is text that every engine takes. */
static struct slice user_agent_of(const struct http_request *request)
{
	struct slice given = http_request_header(request, "User-Agent");
	size_t size = given.size < USER_AGENT_SIZE_MAX ? given.size : USER_AGENT_SIZE_MAX;
	char *text = arena_alloc(request->arena, size + 1);
	for (size_t i = 0; i < size; i++)
		text[i] = given.data[i] >= ' ' && given.data[i] <= '~' ? given.data[i] : '?';
	return slice_make(text, size);
}

static void set_actor(struct passage *passage, struct slice name)
{
	struct http_request *request = passage->request;
	passage->actor = (struct actor) { .name = name,
		.ip_address = request->remote_address,
		.user_agent = user_agent_of(request),
		.trace_id = request->trace_id };
	request->actor = &passage->actor;
}

static struct slice principal_name(const struct principal *principal, struct arena *arena)
{
	struct writer out = writer_fixed(arena_alloc(arena, ACTOR_NAME_MAX), ACTOR_NAME_MAX);
	write_id(&out, principal_is_agent(principal) ? ID_PREFIX_agent : ID_PREFIX_user, principal->id);
	return writer_slice(&out);
}

/* The token of "Authorization: Bearer TOKEN" (RFC 6750 section 2.1). */
static enum status bearer_token(const struct http_request *request, struct slice *ret_token)
{
	struct slice value = http_request_header(request, "Authorization");
	struct slice scheme = { value.data, value.size < 7 ? 0 : 7 };
	if (!slice_equal_ignore_case(scheme, SLICE("Bearer ")))
		return problem_set(request->problem, ERR_UNAUTHENTICATED, "Authorization",
		        "Send Authorization: Bearer with an access token.");
	*ret_token = slice_trim(slice_skip(value, scheme.size));
	return STATUS_OK;
}

static enum status authenticate(struct passage *passage)
{
	struct http_request *request = passage->request;
	const struct identity_api *identity = passage->gate->identity;
	struct slice token;
	if (!identity)
		return ERR_NEIGHBOUR_UNAVAILABLE;
	TRY(bearer_token(request, &token));
	TRY(identity->authenticate(identity->self, token, clock_now(), &passage->principal));
	request->principal = &passage->principal;
	return STATUS_OK;
}

static void add_number_header(struct passage *passage, const char *name, int64_t value)
{
	enum { DIGITS_MAX = 24 };
	struct writer out = writer_fixed(arena_alloc(passage->request->arena, DIGITS_MAX), DIGITS_MAX);
	write_i64(&out, value);
	http_response_header(passage->response, name, writer_slice(&out));
}

static enum status limit_rate(struct passage *passage)
{
	struct rate_limit *limit = passage->gate->rate_limit;
	const struct http_request *request = passage->request;
	const struct principal *principal = request->principal;
	struct rate_limit_state state;
	if (!limit || request->route->flags & HTTP_ROUTE_NO_RATE_LIMIT)
		return STATUS_OK;
	struct slice key =
	        principal ? slice_make(principal->id.bytes, sizeof principal->id.bytes) : request->remote_address;
	bool allowed = rate_limit_take(limit, key, clock_monotonic(), &state);
	add_number_header(passage, "RateLimit-Limit", state.limit);
	add_number_header(passage, "RateLimit-Remaining", state.remaining);
	add_number_header(passage, "RateLimit-Reset", state.reset_seconds);
	if (allowed)
		return STATUS_OK;
	metric_add(METRIC_rate_limited_total, "", 1);
	return ERR_TOO_MANY_REQUESTS;
}

/* Routes of another kind than POST, and those marked so, do nothing twice that matters. */
static bool needs_key(const struct http_route *route)
{
	return route->method == HTTP_POST && !(route->flags & HTTP_ROUTE_NO_KEY);
}

static enum status run(struct passage *passage)
{
	struct http_request *request = passage->request;
	const struct http_route *route = request->route;
	const struct principal *principal = request->principal;
	struct slice who = principal ? slice_make(principal->id.bytes, sizeof principal->id.bytes) : SLICE_EMPTY;
	if (!needs_key(route)) {
		request->operation_id = uuid_new();
		return http_route_run(passage->routes, request, passage->response);
	}
	TRY(idempotency_identify(request, who));
	if (route->flags & HTTP_ROUTE_IDEMPOTENT)
		return http_route_run(passage->routes, request, passage->response);
	return idempotency_run(passage->gate->idempotency, passage->routes, request, passage->response);
}

static enum status pass_internal(struct passage *passage)
{
	struct http_request *request = passage->request;
	struct slice actor = http_request_header(request, NEIGHBOUR_ACTOR);
	if (!passage->from_neighbour)
		return problem_set(request->problem, ERR_UNAUTHENTICATED, NEIGHBOUR_KEY,
		        "The service key is missing or is not the one of this installation.");
	set_actor(passage, actor.size ? actor : actor_system.name);
	return run(passage);
}

static enum status pass_public(struct passage *passage)
{
	TRY(limit_rate(passage));
	set_actor(passage, SLICE("anonymous"));
	return run(passage);
}

static enum status pass_principal(struct passage *passage)
{
	struct http_request *request = passage->request;
	TRY(authenticate(passage));
	if (!permission_allows((enum permission)request->route->permission, passage->principal.roles))
		return ERR_FORBIDDEN;
	TRY(limit_rate(passage));
	set_actor(passage, principal_name(&passage->principal, request->arena));
	return run(passage);
}

enum status gate_pass(
        void *gate, const struct http_routes *routes, struct http_request *request, struct http_response *response)
{
	struct passage passage = { .gate = gate, .routes = routes, .request = request, .response = response };
	enum status status;
	recognise_neighbour(&passage);
	neighbour_context_set(request);
	if (request->route->flags & HTTP_ROUTE_INTERNAL)
		status = pass_internal(&passage);
	else if (request->route->permission == PERMISSION_PUBLIC)
		status = pass_public(&passage);
	else
		status = pass_principal(&passage);
	neighbour_context_set(NULL);
	request->principal = NULL;
	request->actor = NULL;
	return status;
}
