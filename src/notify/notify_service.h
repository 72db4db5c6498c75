/* Tells subscribers: webhooks as in Standard Webhooks 1.0.0. Every event becomes one delivery for each endpoint that
 * wants it; deliveries are tried by threads until one succeeds or the schedule ends. */
#pragma once

#include "notify/notify_store.h"
#include "platform/engines.h"

struct notify_options {
	const struct engines *engines;
	bool allow_private_addresses;
	const unsigned char *sealing_key; /* CRYPTO_KEY_SIZE bytes, copied: seals the endpoints' secrets */
};

struct notify_service;

enum { WEBHOOKS_MAX = 100, WEBHOOK_PATTERNS_MAX = 20, WEBHOOK_SECRET_TEXT_MAX = 100 };

enum status notify_service_start(
        const struct notify_options *options, struct notify_service **ret_service, struct problem *problem);
/* After the outbox was stopped. Accepts NULL. */
void notify_service_stop(struct notify_service *service);

/* What an operator wants for an endpoint. */
struct notify_request {
	const struct actor *actor;
	struct arena *arena; /* of what is answered */
	struct problem *problem;
};

/* `operation` becomes the identifier; done twice it answers the same. The secret is text in the arena. */
enum status notify_service_create(struct notify_service *service, const struct notify_request *request,
        struct uuid operation, struct slice url, const struct slice_list *event_types, struct webhook *ret_webhook,
        struct slice *ret_secret);
/* The secret of before stays valid for a day: until then deliveries carry both signatures. */
enum status notify_service_rotate(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, struct uuid operation, struct webhook *ret_webhook, struct slice *ret_secret);
enum status notify_service_enable(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, bool is_enabled, struct webhook *ret_webhook);
enum status notify_service_delete(
        struct notify_service *service, const struct notify_request *request, struct webhook_id id);
enum status notify_service_get(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, struct webhook *ret_webhook);
enum status notify_service_list(struct notify_service *service, const struct page *page,
        void (*take)(void *arg, const struct webhook *webhook), void *arg);
/* ERR_NOT_FOUND when there is no such endpoint. */
enum status notify_service_deliveries(struct notify_service *service, const struct notify_request *request,
        struct webhook_id id, const struct page *page, void (*take)(void *arg, const struct delivery *delivery),
        void *arg);
enum status notify_service_replay(struct notify_service *service, const struct notify_request *request,
        struct delivery_id id, struct delivery *ret_delivery);

/* The outbox_handler; `arg` is the struct notify_service. */
enum status notify_service_handle(void *arg, const struct event *events, size_t count);

extern const struct sql_migrations notify_migrations;
