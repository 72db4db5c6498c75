#include "notify/notify_service.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "notify/notify_events.h"
#include "notify/notify_rules.h"
#include "notify/notify_workers.h"
#include "notify/sealed_secret.h"
#include "notify/webhook_url.h"
#include "notify_sql.h"

#define PREVIOUS_SECRET_MICROSECONDS MICROSECONDS_PER_DAY

const struct sql_migrations notify_migrations = { notify_migration_rows, NOTIFY_MIGRATION_COUNT };

struct notify_service {
	const struct engines *engines;
	bool allow_private_addresses;
	unsigned char sealing_key[CRYPTO_KEY_SIZE];
	struct notify_workers *workers;
};

/* One change of an endpoint inside a commit. */
struct change {
	struct notify_service *service;
	const struct notify_request *request;
	struct webhook webhook; /* to store; afterwards as stored */
	unsigned char sealed[SEALED_SECRET_SIZE];
	struct uuid operation;
	bool is_enabled;
	int64_t now;
};

static enum status run_change(struct notify_service *service, commit_fn *work, struct change *change)
{
	change->service = service;
	change->now = clock_now();
	TRY(committer_run(service->engines->committer, work, change));
	if (service->engines->outbox)
		outbox_wake(service->engines->outbox);
	notify_workers_wake(service->workers);
	return STATUS_OK;
}

static void make_secret(struct notify_service *service, struct change *change)
{
	char text[WEBHOOK_SECRET_TEXT_MAX];
	struct webhook_secret secret = { 0 };
	struct writer out = writer_fixed(text, sizeof text);
	write_new_webhook_secret(&out);
	webhook_secret_parse(writer_slice(&out), &secret);
	sealed_secret_make(service->sealing_key, change->webhook.id, &secret, change->sealed);
	crypto_wipe(&secret, sizeof secret);
	crypto_wipe(text, sizeof text);
	change->webhook.secret = slice_make(change->sealed, sizeof change->sealed);
}

static enum status show_secret(struct notify_service *service, const struct notify_request *request,
        const struct webhook *webhook, struct slice *ret_secret)
{
	struct webhook_secret secret;
	if (!sealed_secret_open(service->sealing_key, webhook->id, webhook->secret, &secret))
		return problem_set(request->problem, ERR_INTERNAL, "", "The secret was sealed with another key.");
	struct writer out = writer_growing(request->arena);
	write_text(&out, "whsec_");
	write_base64(&out, secret.key, secret.size);
	crypto_wipe(&secret, sizeof secret);
	*ret_secret = writer_slice(&out);
	return STATUS_OK;
}

/* What may be told of an endpoint: without the query of its address, which may hold a token. */
static struct slice values_of(const struct webhook *webhook, struct arena *arena)
{
	struct slice rest = webhook->url, shown = SLICE_EMPTY;
	slice_split(&rest, '?', &shown);
	struct writer out = writer_growing(arena);
	struct json_writer json = { .out = &out };
	json_object_open(&json);
	json_key_text(&json, "url", shown);
	json_key_raw(&json, "event_types", webhook->event_types);
	json_key_text(&json, "status", slice_from(webhook->is_enabled ? "enabled" : "disabled"));
	json_object_close(&json);
	return writer_slice(&out);
}

static enum status create(struct sql *sql, void *arg)
{
	struct change *change = arg;
	const struct notify_request *request = change->request;
	int64_t count;
	bool inserted;
	enum status found = notify_store_webhook(sql, change->webhook.id, request->arena, &change->webhook);
	if (found != ERR_NOT_FOUND)
		return found;
	TRY(notify_store_webhook_count(sql, &count));
	if (count >= WEBHOOKS_MAX)
		return problem_set(
		        request->problem, ERR_CONFLICT, "", "There may be at most %d webhooks.", WEBHOOKS_MAX);
	TRY(notify_store_webhook_add(sql, &change->webhook, &inserted));
	return notify_event_store(sql, "webhook.created", request->actor, change->webhook.id, change->now, SLICE_EMPTY,
	        values_of(&change->webhook, request->arena));
}

static enum status write_patterns(
        const struct notify_request *request, const struct slice_list *patterns, struct slice *ret_json)
{
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	if (patterns->count == 0)
		return problem_set(request->problem, ERR_INVALID_FIELD, "event_types", "Name at least one event type.");
	json_array_open(&json);
	for (size_t i = 0; i < patterns->count; i++) {
		if (!notify_pattern_is_valid(patterns->items[i]))
			return problem_set(request->problem, ERR_INVALID_FIELD, "event_types",
			        "\"%.*s\" is no event type: say payment.settled, payment.* or *.",
			        SLICE_ARGS(slice_make(patterns->items[i].data,
			                patterns->items[i].size < 60 ? patterns->items[i].size : 60)));
		json_text(&json, patterns->items[i]);
	}
	json_array_close(&json);
	*ret_json = writer_slice(&out);
	return STATUS_OK;
}

enum status notify_service_create(struct notify_service *service, const struct notify_request *request,
        struct uuid operation, struct slice url, const struct slice_list *event_types, struct webhook *ret_webhook,
        struct slice *ret_secret)
{
	struct change change = { .request = request,
		.webhook = { .id = { operation }, .url = url, .is_enabled = true, .created_at = clock_now() } };
	TRY(webhook_url_check(url, service->allow_private_addresses, request->problem));
	TRY(write_patterns(request, event_types, &change.webhook.event_types));
	make_secret(service, &change);
	TRY(run_change(service, create, &change));
	TRY(show_secret(service, request, &change.webhook, ret_secret));
	*ret_webhook = change.webhook;
	return STATUS_OK;
}

static enum status rotate(struct sql *sql, void *arg)
{
	struct change *change = arg;
	const struct notify_request *request = change->request;
	struct webhook_id id = change->webhook.id;
	TRY(notify_store_webhook(sql, id, request->arena, &change->webhook));
	if (uuid_equal(change->webhook.rotation, change->operation))
		return STATUS_OK;
	TRY(notify_store_rotate(sql, id, slice_make(change->sealed, sizeof change->sealed),
	        change->now + PREVIOUS_SECRET_MICROSECONDS, change->operation));
	TRY(notify_event_store(
	        sql, "webhook.secret_rotated", request->actor, id, change->now, SLICE_EMPTY, SLICE_EMPTY));
	return notify_store_webhook(sql, id, request->arena, &change->webhook);
}

enum status notify_service_rotate(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, struct uuid operation, struct webhook *ret_webhook, struct slice *ret_secret)
{
	struct change change = { .request = request, .webhook.id = id, .operation = operation };
	make_secret(service, &change);
	TRY(run_change(service, rotate, &change));
	TRY(show_secret(service, request, &change.webhook, ret_secret));
	*ret_webhook = change.webhook;
	return STATUS_OK;
}

static enum status enable(struct sql *sql, void *arg)
{
	struct change *change = arg;
	const struct notify_request *request = change->request;
	struct webhook_id id = change->webhook.id;
	bool changed;
	TRY(notify_store_webhook(sql, id, request->arena, &change->webhook));
	TRY(notify_store_enable(sql, id, change->is_enabled,
	        change->is_enabled ? SLICE_EMPTY : SLICE("disabled by an operator"), &changed));
	if (changed) {
		struct slice old_values = values_of(&change->webhook, request->arena);
		TRY(notify_store_webhook(sql, id, request->arena, &change->webhook));
		TRY(notify_event_store(sql, change->is_enabled ? "webhook.enabled" : "webhook.disabled", request->actor,
		        id, change->now, old_values, values_of(&change->webhook, request->arena)));
	}
	return STATUS_OK;
}

enum status notify_service_enable(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, bool is_enabled, struct webhook *ret_webhook)
{
	struct change change = { .request = request, .webhook.id = id, .is_enabled = is_enabled };
	TRY(run_change(service, enable, &change));
	*ret_webhook = change.webhook;
	return STATUS_OK;
}

static enum status delete (struct sql *sql, void *arg) {
	struct change *change = arg; const struct notify_request *request = change->request;
	struct webhook_id id = change->webhook.id;
	struct webhook stored;
	TRY(notify_store_webhook(sql, id, request->arena, &stored));
	TRY(notify_store_delete(sql, id));
	return notify_event_store(sql, "webhook.deleted", request->actor, id, change->now,
	        values_of(&stored, request->arena), SLICE_EMPTY);
}

enum status notify_service_delete(
        struct notify_service *service, const struct notify_request *request, struct webhook_id id)
{
	struct change change = { .request = request, .webhook.id = id };
	return run_change(service, delete, &change);
}

enum status notify_service_get(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, struct webhook *ret_webhook)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = notify_store_webhook(sql, id, request->arena, ret_webhook);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

enum status notify_service_list(struct notify_service *service, const struct page *page,
        void (*take)(void *arg, const struct webhook *webhook), void *arg)
{
	struct sql *sql;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = notify_store_webhooks(sql, page, take, arg);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

enum status notify_service_deliveries(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, const struct page *page, void (*take)(void *arg, const struct delivery *delivery),
        void *arg)
{
	struct sql *sql;
	struct webhook webhook;
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = notify_store_webhook(sql, id, request->arena, &webhook);
	if (status == STATUS_OK)
		status = notify_store_deliveries(sql, id, page, take, arg);
	sql_pool_give(service->engines->readers, sql);
	return status;
}

struct replay {
	const struct notify_request *request;
	struct delivery_id id;
	struct delivery delivery;
};

static enum status replay(struct sql *sql, void *arg)
{
	struct replay *work = arg;
	const struct notify_request *request = work->request;
	int64_t now = clock_now();
	TRY(notify_store_delivery(sql, work->id, request->arena, &work->delivery));
	TRY(notify_store_replay(sql, work->id, now));
	TRY(notify_event_store(
	        sql, "webhook.replayed", request->actor, work->delivery.webhook, now, SLICE_EMPTY, SLICE_EMPTY));
	return notify_store_delivery(sql, work->id, request->arena, &work->delivery);
}

enum status notify_service_replay(struct notify_service *service, const struct notify_request *request,
        struct delivery_id id, struct delivery *ret_delivery)
{
	struct replay work = { .request = request, .id = id };
	TRY(committer_run(service->engines->committer, replay, &work));
	notify_workers_wake(service->workers);
	*ret_delivery = work.delivery;
	return STATUS_OK;
}

/* --- Events to deliveries ------------------------------------------------------------------------------------------
 */

struct fan_out {
	const struct webhook *webhooks;
	const struct json **patterns; /* of each endpoint */
	size_t webhook_count;
	const struct event *events;
	size_t event_count;
};

static bool wants(const struct webhook *webhook, const struct json *patterns, const struct event *event)
{
	/* What happened before an endpoint was there is not for it. */
	if (event->created_at < webhook->created_at)
		return false;
	for (const struct json *pattern = patterns ? patterns->first : NULL; pattern; pattern = pattern->next)
		if (notify_type_matches(pattern->text, event->type))
			return true;
	return false;
}

static enum status add_delivery(struct sql *sql, const struct webhook *webhook, const struct event *event)
{
	const struct slice parts[] = { SLICE("webhook.delivery"),
		slice_make(webhook->id.uuid.bytes, sizeof webhook->id.uuid.bytes),
		slice_make(event->id.bytes, sizeof event->id.bytes) };
	const struct delivery delivery = { .id = { uuid_derive(parts, sizeof parts / sizeof *parts) },
		.webhook = webhook->id,
		.event = { event->id },
		.event_type = event->type,
		.body = event->body,
		.trace_id = event->trace_id,
		.created_at = event->created_at };
	return notify_store_delivery_add(sql, &delivery);
}

static enum status fan_out(struct sql *sql, void *arg)
{
	const struct fan_out *work = arg;
	for (size_t i = 0; i < work->event_count; i++)
		for (size_t j = 0; j < work->webhook_count; j++)
			if (wants(&work->webhooks[j], work->patterns[j], &work->events[i]))
				TRY(add_delivery(sql, &work->webhooks[j], &work->events[i]));
	return STATUS_OK;
}

static bool is_wanted(const struct fan_out *work)
{
	for (size_t i = 0; i < work->event_count; i++)
		for (size_t j = 0; j < work->webhook_count; j++)
			if (wants(&work->webhooks[j], work->patterns[j], &work->events[i]))
				return true;
	return false;
}

static enum status handle(struct notify_service *service, struct fan_out *work, struct arena *arena)
{
	struct sql *sql;
	struct webhook *webhooks = ARENA_ARRAY(arena, struct webhook, WEBHOOKS_MAX);
	TRY(sql_pool_take(service->engines->readers, &sql));
	enum status status = notify_store_enabled(sql, arena, webhooks, WEBHOOKS_MAX, &work->webhook_count);
	sql_pool_give(service->engines->readers, sql);
	TRY(status);
	work->webhooks = webhooks;
	work->patterns = ARENA_ARRAY(arena, const struct json *, WEBHOOKS_MAX);
	for (size_t i = 0; i < work->webhook_count; i++)
		TRY(json_parse(webhooks[i].event_types, arena, &work->patterns[i], NULL));
	if (!is_wanted(work))
		return STATUS_OK;
	TRY(committer_run(service->engines->committer, fan_out, work));
	notify_workers_wake(service->workers);
	return STATUS_OK;
}

enum status notify_service_handle(void *arg, const struct event *events, size_t count)
{
	struct arena arena = { 0 };
	struct fan_out work = { .events = events, .event_count = count };
	enum status status = handle(arg, &work, &arena);
	arena_clean_up(&arena);
	return status;
}

/* --- Start and stop ------------------------------------------------------------------------------------------------
 */

static enum status start(struct notify_service *service)
{
	const struct notify_worker_options options = { .engines = service->engines,
		.sealing_key = service->sealing_key,
		.allow_private_addresses = service->allow_private_addresses };
	TRY(notify_workers_start(&options, &service->workers));
	if (!service->engines->outbox)
		return STATUS_OK;
	return outbox_subscribe(service->engines->outbox, "notify", notify_service_handle, service);
}

enum status notify_service_start(
        const struct notify_options *options, struct notify_service **ret_service, struct problem *problem)
{
	struct notify_service *service = NEW(struct notify_service);
	service->engines = options->engines;
	service->allow_private_addresses = options->allow_private_addresses;
	memcpy(service->sealing_key, options->sealing_key, CRYPTO_KEY_SIZE);
	enum status status = start(service);
	if (status != STATUS_OK) {
		notify_service_stop(service);
		return problem_set(problem, status, "", "Webhooks cannot be served.");
	}
	*ret_service = service;
	return STATUS_OK;
}

void notify_service_stop(struct notify_service *service)
{
	if (!service)
		return;
	notify_workers_stop(service->workers);
	crypto_wipe(service->sealing_key, sizeof service->sealing_key);
	memory_free(service);
}
