#include "watch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"
#include "notify/notify_http.h"
#include "platform/webhook_signature.h"

/* --- A subscriber on a port of its own ------------------------------------------------------------------------------
 */

enum { CALLS_MAX = 64 };

struct call {
	char id[64], timestamp[32], signatures[256], body[512];
};

static struct {
	pthread_mutex_t lock;
	struct call calls[CALLS_MAX];
	size_t count;
	int answer; /* HTTP status of the next answers */
	struct http_server *server;
	char url[64];
} subscriber = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void copy(char *to, size_t size, struct slice from)
{
	snprintf(to, size, "%.*s", SLICE_ARGS(from));
}

static enum status post_hook(void *self, struct http_request *request, struct http_response *response)
{
	(void)self;
	pthread_mutex_lock(&subscriber.lock);
	if (subscriber.count < CALLS_MAX) {
		struct call *call = &subscriber.calls[subscriber.count++];
		copy(call->id, sizeof call->id, http_request_header(request, "webhook-id"));
		copy(call->timestamp, sizeof call->timestamp, http_request_header(request, "webhook-timestamp"));
		copy(call->signatures, sizeof call->signatures, http_request_header(request, "webhook-signature"));
		copy(call->body, sizeof call->body, request->body);
	}
	response->status = subscriber.answer;
	pthread_mutex_unlock(&subscriber.lock);
	response->body = SLICE("{}");
	return STATUS_OK;
}

static const struct http_route hooks[] = { { HTTP_POST, "/hook", post_hook, 0, HTTP_ROUTE_NO_KEY } };
static const struct http_routes hook_routes = { "subscriber", hooks, 1, NULL };

static size_t calls(void)
{
	pthread_mutex_lock(&subscriber.lock);
	size_t count = subscriber.count;
	pthread_mutex_unlock(&subscriber.lock);
	return count;
}

static void wait_for_calls(size_t count)
{
	for (int i = 0; i < 1000 && calls() < count; i++)
		usleep(10000);
	assert_int_equal(calls(), count);
}

/* --- The service ----------------------------------------------------------------------------------------------------
 */

static struct watch watch;
static struct notify_service *service;
static struct arena arena;
static struct problem problem;
static const unsigned char key[CRYPTO_KEY_SIZE] = { 1, 2, 3 };

static void start_with(struct database *database, bool allow_private)
{
	const struct http_server_options options = {
		.listen = SLICE("127.0.0.1:0"), .services = &hook_routes, .service_count = 1
	};
	const struct notify_options notify = {
		.engines = &watch.engines, .allow_private_addresses = allow_private, .sealing_key = key
	};
	watch_start(&watch, database, &notify_migrations);
	subscriber.count = 0;
	subscriber.answer = 200;
	assert_status(http_server_start(&options, &subscriber.server, &problem), STATUS_OK);
	snprintf(
	        subscriber.url, sizeof subscriber.url, "http://127.0.0.1:%d/hook", http_server_port(subscriber.server));
	assert_status(
	        outbox_start(watch.engines.database_url, watch.engines.committer, &watch.engines.outbox, &problem),
	        STATUS_OK);
	assert_status(notify_service_start(&notify, &service, &problem), STATUS_OK);
}

static void start(void **state)
{
	start_with(database_of(state), true);
}

static void stop(void)
{
	outbox_stop(watch.engines.outbox);
	watch.engines.outbox = NULL;
	notify_service_stop(service);
	http_server_stop(subscriber.server);
	watch_stop(&watch);
	arena_clean_up(&arena);
}

static struct notify_request asked(void)
{
	return (struct notify_request) { &actor_system, &arena, &problem };
}

static struct webhook subscribe(const char *pattern, struct uuid operation, struct slice *ret_secret)
{
	struct notify_request request = asked();
	struct slice patterns[] = { slice_from(pattern) };
	struct slice_list list = { patterns, 1 };
	struct webhook webhook;
	enum status status = notify_service_create(
	        service, &request, operation, slice_from(subscriber.url), &list, &webhook, ret_secret);
	if (status != STATUS_OK)
		fail_msg("%s", problem.detail);
	return webhook;
}

static struct event publish(const char *type)
{
	struct event event = watch_payment(&arena, type, payment_id_new(), agent_id_new(), "25.00", clock_now());
	watch_publish(&watch, &event);
	return event;
}

static void assert_signed(const struct call *call, struct slice secret_text)
{
	struct webhook_secret secret;
	assert_true(webhook_secret_parse(secret_text, &secret));
	const struct webhook_message message = { slice_from(call->id), slice_from(call->timestamp),
		slice_from(call->signatures), slice_from(call->body) };
	assert_status(webhook_verify(&secret, &message, clock_now() / MICROSECONDS_PER_SECOND), STATUS_OK);
}

static void take_last(void *arg, const struct delivery *delivery)
{
	struct delivery *last = arg;
	if (uuid_is_nil(last->id.uuid)) {
		*last = *delivery;
		last->event_type = arena_copy(&arena, delivery->event_type);
		last->last_error = arena_copy(&arena, delivery->last_error);
		last->body = SLICE_EMPTY;
	}
}

/* The newest delivery of the endpoint. */
static struct delivery last_delivery(struct webhook_id webhook)
{
	struct notify_request request = asked();
	struct page page = { .limit = 10, .before_at = INT64_MAX };
	struct delivery delivery = { 0 };
	assert_status(notify_service_deliveries(service, &request, webhook, &page, take_last, &delivery), STATUS_OK);
	return delivery;
}

static struct delivery wait_for(struct webhook_id webhook, enum delivery_status status, int attempts)
{
	struct delivery delivery = { 0 };
	for (int i = 0; i < 1000; i++) {
		delivery = last_delivery(webhook);
		if (delivery.status == status && delivery.attempts == attempts)
			return delivery;
		usleep(10000);
	}
	fail_msg("%s after %d attempts", delivery_status_name(delivery.status), delivery.attempts);
	return delivery;
}

static void wanted_events_arrive_signed_and_once(void **state)
{
	start(state);
	struct slice secret;
	subscribe("payment.settled", uuid_new(), &secret);
	publish("payment.declined");
	struct event event = publish("payment.settled");
	wait_for_calls(1);
	const struct call *call = &subscriber.calls[0];
	struct writer id = writer_growing(&arena);
	write_event_id(&id, (struct event_id) { event.id });
	assert_slice(writer_slice(&id), call->id);
	assert_slice(event.body, call->body);
	assert_signed(call, secret);
	/* the consumer sees the same events again after a crash */
	struct event *events;
	size_t count = watch_events(&watch, &arena, &events);
	assert_status(notify_service_handle(service, events, count), STATUS_OK);
	usleep(600000);
	assert_int_equal(calls(), 1);
	stop();
}

static void what_happened_before_is_not_sent(void **state)
{
	start(state);
	struct slice secret;
	publish("payment.settled");
	usleep(2000);
	subscribe("*", uuid_new(), &secret);
	publish("payment.declined");
	wait_for_calls(2); /* webhook.created, which is stored with it, and payment.declined */
	assert_non_null(strstr(subscriber.calls[0].body, "webhook.created"));
	assert_non_null(strstr(subscriber.calls[1].body, "payment.declined"));
	stop();
}

static void a_failed_delivery_is_tried_again_with_the_same_id(void **state)
{
	start(state);
	struct slice secret;
	subscriber.answer = 500;
	struct webhook webhook = subscribe("payment.*", uuid_new(), &secret);
	publish("payment.settled");
	struct delivery delivery = wait_for(webhook.id, DELIVERY_PENDING, 1);
	assert_int_equal(delivery.last_status, 500);
	assert_in_range(
	        delivery.next_attempt_at - clock_now(), 3 * MICROSECONDS_PER_SECOND, 6 * MICROSECONDS_PER_SECOND);
	pthread_mutex_lock(&subscriber.lock);
	subscriber.answer = 200;
	pthread_mutex_unlock(&subscriber.lock);
	wait_for_calls(2);
	wait_for(webhook.id, DELIVERY_DELIVERED, 2);
	assert_string_equal(subscriber.calls[0].id, subscriber.calls[1].id);
	assert_string_not_equal(subscriber.calls[0].timestamp, subscriber.calls[1].timestamp);
	assert_signed(&subscriber.calls[1], secret);
	stop();
}

static void gone_disables_the_endpoint(void **state)
{
	start(state);
	struct notify_request request = asked();
	struct slice secret;
	subscriber.answer = 410;
	struct webhook webhook = subscribe("payment.*", uuid_new(), &secret);
	publish("payment.settled");
	wait_for(webhook.id, DELIVERY_FAILED, 1);
	assert_status(notify_service_get(service, &request, webhook.id, &webhook), STATUS_OK);
	assert_false(webhook.is_enabled);
	assert_slice(webhook.disabled_reason, "gone");
	publish("payment.settled");
	usleep(600000);
	assert_int_equal(calls(), 1);
	/* enabled again it gets what comes, and the failed one on demand */
	subscriber.answer = 200;
	assert_status(notify_service_enable(service, &request, webhook.id, true, &webhook), STATUS_OK);
	assert_true(webhook.is_enabled);
	struct delivery delivery = last_delivery(webhook.id);
	assert_status(notify_service_replay(service, &request, delivery.id, &delivery), STATUS_OK);
	assert_int_equal(delivery.status, DELIVERY_PENDING);
	wait_for_calls(2);
	assert_string_equal(subscriber.calls[0].id, subscriber.calls[1].id);
	wait_for(webhook.id, DELIVERY_DELIVERED, 1);
	stop();
}

static void a_rotated_secret_overlaps_with_the_one_before(void **state)
{
	start(state);
	struct notify_request request = asked();
	struct slice first, second, again;
	struct uuid operation = uuid_new();
	struct webhook webhook = subscribe("payment.*", uuid_new(), &first);
	assert_status(notify_service_rotate(service, &request, webhook.id, operation, &webhook, &second), STATUS_OK);
	assert_false(slice_equal(first, second));
	assert_in_range(webhook.previous_valid_until - clock_now(), MICROSECONDS_PER_DAY - 60 * MICROSECONDS_PER_SECOND,
	        MICROSECONDS_PER_DAY);
	/* the same operation again changes nothing */
	assert_status(notify_service_rotate(service, &request, webhook.id, operation, &webhook, &again), STATUS_OK);
	assert_true(slice_equal(second, again));
	publish("payment.settled");
	wait_for_calls(1);
	assert_signed(&subscriber.calls[0], first);
	assert_signed(&subscriber.calls[0], second);
	stop();
}

static void creating_twice_gives_one_endpoint_and_its_secret(void **state)
{
	start(state);
	struct notify_request request = asked();
	struct slice first, second;
	struct uuid operation = uuid_new();
	struct webhook one = subscribe("payment.*", operation, &first),
	               two = subscribe("payment.*", operation, &second);
	assert_true(uuid_equal(one.id.uuid, two.id.uuid));
	assert_true(slice_equal(first, second));
	assert_status(notify_service_rotate(service, &request, one.id, uuid_new(), &one, &second), STATUS_OK);
	assert_status(notify_service_enable(service, &request, one.id, false, &one), STATUS_OK);
	assert_false(one.is_enabled);
	assert_status(notify_service_enable(service, &request, one.id, true, &one), STATUS_OK);
	assert_status(notify_service_enable(service, &request, one.id, true, &one), STATUS_OK);
	assert_status(notify_service_delete(service, &request, one.id), STATUS_OK);
	assert_status(notify_service_delete(service, &request, one.id), ERR_NOT_FOUND);
	assert_status(notify_service_get(service, &request, one.id, &one), ERR_NOT_FOUND);
	/* what is told to the audit trail holds no secret */
	struct event *events;
	size_t count = watch_events(&watch, &arena, &events);
	static const char *const types[] = { "webhook.created", "webhook.secret_rotated", "webhook.disabled",
		"webhook.enabled", "webhook.deleted" };
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_slice(events[i].type, types[i]);
	for (size_t i = 0; i < count; i++)
		assert_null(memmem(events[i].new_values.data, events[i].new_values.size, "whsec", 5));
	stop();
}

static void private_addresses_are_refused_at_both_doors(void **state)
{
	struct database *database = database_of(state);
	start_with(database, true);
	struct slice secret;
	struct webhook webhook = subscribe("payment.*", uuid_new(), &secret);
	outbox_stop(watch.engines.outbox);
	watch.engines.outbox = NULL;
	notify_service_stop(service);
	/* the same database, now without private addresses: the stored endpoint is not connected to */
	const struct notify_options notify = { .engines = &watch.engines, .sealing_key = key };
	assert_status(
	        outbox_start(watch.engines.database_url, watch.engines.committer, &watch.engines.outbox, &problem),
	        STATUS_OK);
	assert_status(notify_service_start(&notify, &service, &problem), STATUS_OK);
	publish("payment.settled");
	struct delivery delivery = wait_for(webhook.id, DELIVERY_FAILED, 1);
	assert_slice(delivery.last_error, "webhook_url_refused");
	assert_int_equal(calls(), 0);
	struct notify_request request = asked();
	struct slice patterns[] = { SLICE("*") };
	struct slice_list list = { patterns, 1 };
	assert_status(notify_service_create(
	                      service, &request, uuid_new(), slice_from(subscriber.url), &list, &webhook, &secret),
	        ERR_WEBHOOK_URL_REFUSED);
	stop();
}

static void wrong_patterns_are_refused(void **state)
{
	start(state);
	struct notify_request request = asked();
	struct slice patterns[] = { SLICE("payment.*"), SLICE("Payment") }, secret;
	struct webhook webhook;
	struct slice_list lists[] = { { patterns, 2 }, { patterns, 0 } };
	for (size_t i = 0; i < 2; i++)
		assert_status(notify_service_create(service, &request, uuid_new(), slice_from(subscriber.url),
		                      &lists[i], &webhook, &secret),
		        ERR_INVALID_FIELD);
	stop();
}

TESTS(ON_BOTH(wanted_events_arrive_signed_and_once), ON_BOTH(what_happened_before_is_not_sent),
        ON_BOTH(a_failed_delivery_is_tried_again_with_the_same_id), ON_BOTH(gone_disables_the_endpoint),
        ON_BOTH(a_rotated_secret_overlaps_with_the_one_before),
        ON_BOTH(creating_twice_gives_one_endpoint_and_its_secret), ON_BOTH(private_addresses_are_refused_at_both_doors),
        ON_BOTH(wrong_patterns_are_refused))
