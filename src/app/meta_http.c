#include "app/meta_http.h"

#include "app/version.h"
#include "app_sql.h"
#include "openapi_document.h"
#include "platform/metrics.h"

enum { CONSUMERS_MAX = 32 };

static enum status health(void *service, struct http_request *request, struct http_response *response)
{
	(void)service;
	(void)request;
	response->body = SLICE("{\"status\":\"ok\"}");
	return STATUS_OK;
}

static enum status ping(const struct engines *engines)
{
	struct sql *sql;
	struct sql_rows *rows;
	TRY(sql_pool_take(engines->readers, &sql));
	enum status status = sql_select(sql, &database_ping, NULL, 0, &rows);
	if (status == STATUS_OK) {
		sql_next(rows);
		status = sql_end(rows);
	}
	sql_pool_give(engines->readers, sql);
	return status;
}

static enum status ready(void *service, struct http_request *request, struct http_response *response)
{
	const struct engines *engines = service;
	const char *names[CONSUMERS_MAX];
	int64_t lags[CONSUMERS_MAX];
	struct writer out = writer_growing(request->arena);
	struct json_writer json = { .out = &out };
	if (ping(engines) != STATUS_OK)
		return ERR_DATABASE_UNAVAILABLE;
	size_t count = outbox_lag(engines->outbox, names, lags, CONSUMERS_MAX);
	json_object_open(&json);
	json_key_text(&json, "status", SLICE("ok"));
	json_key(&json, "consumers");
	json_object_open(&json);
	for (size_t i = 0; i < count; i++)
		json_key_i64(&json, names[i], lags[i]);
	json_object_close(&json);
	json_object_close(&json);
	http_response_json(response, 200, &out);
	return STATUS_OK;
}

static enum status metrics(void *service, struct http_request *request, struct http_response *response)
{
	const struct engines *engines = service;
	const char *names[CONSUMERS_MAX];
	int64_t lags[CONSUMERS_MAX];
	struct writer out = writer_growing(request->arena);
	size_t count = outbox_lag(engines->outbox, names, lags, CONSUMERS_MAX);
	for (size_t i = 0; i < count; i++)
		metric_set(METRIC_event_lag, names[i], lags[i]);
	metrics_write(&out);
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	response->body = writer_slice(&out);
	return STATUS_OK;
}

static enum status document(void *service, struct http_request *request, struct http_response *response)
{
	(void)service;
	(void)request;
	response->content_type = "application/yaml";
	response->body = slice_make(openapi_document, sizeof openapi_document);
	return STATUS_OK;
}

static enum status first_page(void *service, struct http_request *request, struct http_response *response)
{
	(void)service;
	(void)request;
	response->content_type = "text/plain; charset=utf-8";
	response->body = SLICE("agentpay " AGENTPAY_VERSION ": payments for AI agents, under their owners' consent\n\n"
	                       "  /openapi.yaml   every request of this API\n"
	                       "  /healthz        the process lives\n"
	                       "  /readyz         the database answers, consumers run\n"
	                       "  /metrics        figures for Prometheus\n");
	return STATUS_OK;
}

static const struct http_route rows[] = {
	{ HTTP_GET, "/healthz", health, 0, HTTP_ROUTE_NO_RATE_LIMIT },
	{ HTTP_GET, "/readyz", ready, 0, HTTP_ROUTE_NO_RATE_LIMIT },
	{ HTTP_GET, "/metrics", metrics, 0, HTTP_ROUTE_NO_RATE_LIMIT },
	{ HTTP_GET, "/openapi.yaml", document, 0, 0 },
	{ HTTP_GET, "/", first_page, 0, 0 },
};

struct http_routes meta_http_routes(struct engines *engines)
{
	return (struct http_routes) { "app", rows, sizeof rows / sizeof *rows, engines };
}
